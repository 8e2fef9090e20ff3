import { defineCodec, type Fields } from '../codec.ts'
import { COMMANDS_1_1 } from './shared/nas/command-packets.ts'
import { CONFIGS_1_1 } from './shared/nas/config-packets-1-1.ts'
import { decodeByPort } from './shared/nas/decode.ts'
import { EVENTS_1_1, SYSTEM_EVENTS } from './shared/nas/event-packets.ts'
import { byHeader, fields, listOf, packet, type Part } from './shared/nas/layout.ts'
import { toLampMetrics } from './shared/nas/metrics.ts'
import { FIRMWARE_COMMANDS, REQUESTS_1_1 } from './shared/nas/request-packets.ts'
import { STATUS_1_1 } from './shared/nas/status-packets.ts'
import { USAGE_1_1 } from './shared/nas/usage-packets.ts'

const config: Part<Fields> = byHeader(CONFIGS_1_1)

const PORTS = {
  23: STATUS_1_1,
  26: USAGE_1_1,
  49: byHeader(REQUESTS_1_1),
  50: byHeader({
    ...CONFIGS_1_1,
    0xfe: packet('chained_config_packet', fields({ payloads: listOf(config) })),
  }),
  51: byHeader(FIRMWARE_COMMANDS),
  60: byHeader(COMMANDS_1_1),
  61: byHeader(EVENTS_1_1),
  99: byHeader(SYSTEM_EVENTS),
}

/** A luminaire's controller with firmware 1.1.x. It also reads what such a luminaire is sent. */
export default defineCodec({
  name: 'nas-ul20xx-1-1',
  title: 'NAS UL20xx luminaire controller, firmware 1.1',
  decode: (uplink) => decodeByPort(uplink, PORTS),
  toMetrics: toLampMetrics,
})
