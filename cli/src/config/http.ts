import { BlockList, isIP } from 'node:net'
import { AppError } from '@pulso/model'
import { count, port, text, type Variable } from './variables.ts'

/** The settings of the web app and the API. */
export interface HttpConfig {
  host: string
  port: number
  /** Addresses and networks of proxies that are believed when they say for whom they ask. */
  trustedProxies: string[]
}

/** The API's limits that have a setting, under the names that it has for them. */
export interface HttpLimits {
  requestsPerSecond: number
  liveClients: number
  liveClientsPerAddress: number
  liveUnsentBytes: number
}

export const HTTP_VARIABLES = {
  httpHost: text({
    name: 'PULSO_HTTP_HOST',
    default: '127.0.0.1',
    help: 'Address of the web app and the API.',
  }),
  httpPort: port({ name: 'PULSO_HTTP_PORT', default: '8080', help: 'Their port; 0 takes a free one.' }),
  httpTrustedProxies: networks({
    name: 'PULSO_HTTP_TRUSTED_PROXIES',
    help: 'Proxies in front of them, addresses or networks with commas (127.0.0.1,10.0.0.0/8): only their X-Forwarded headers are believed.',
  }),
  limitHttpRequestsPerSecond: count({
    name: 'PULSO_LIMIT_HTTP_REQUESTS_PER_SECOND',
    default: '300',
    help: 'HTTP requests a second of one address (IPv6: one /64), this machine’s own included; 0 for no limit.',
  }),
  limitLiveClients: count(
    { name: 'PULSO_LIMIT_LIVE_CLIENTS', default: '10000', help: 'Readers of the live feed at once.' },
    1,
  ),
  limitLiveClientsPerAddress: count({
    name: 'PULSO_LIMIT_LIVE_CLIENTS_PER_ADDRESS',
    default: '200',
    help: 'The same from one address (IPv6: one /64), this machine’s own left out; 0 for no limit.',
  }),
  limitLiveUnsentBytes: count(
    {
      name: 'PULSO_LIMIT_LIVE_UNSENT_BYTES',
      default: String(256 * 1024 * 1024),
      help: 'What all readers of the live feed together may keep waiting by not taking it; beyond it the slowest are let go.',
    },
    1,
  ),
} as const

/** Addresses and networks (CIDR), with commas. */
function networks({ name, help }: { name: string; help: string }): Variable<string[]> {
  return {
    name,
    help,
    defaultText: undefined,
    parse: (raw) =>
      raw
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map(checkNetwork),
  }
}

function checkNetwork(written: string): string {
  const [address = '', bits, ...rest] = written.split('/')
  const family = isIP(address)
  const isPlain = bits === undefined
  const isNetwork = bits !== undefined && /^\d{1,3}$/.test(bits) && rest.length === 0
  if (family === 0 || !(isPlain || isNetwork) || address.includes('%')) throw notANetwork(written)
  if (bits === undefined) return written
  // Everybody would be believed, so anybody could be anyone.
  if (Number(bits) === 0) throw new AppError('invalid-value', `'${written}' trusts every address`)
  try {
    new BlockList().addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  } catch {
    throw notANetwork(written)
  }
  return written
}

function notANetwork(written: string): AppError {
  return new AppError('invalid-value', `'${written}' is neither an address nor a network like 10.0.0.0/8`)
}
