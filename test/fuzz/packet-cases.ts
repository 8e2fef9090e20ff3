import { generate, type Packet } from 'mqtt-packet'
import { createSeededRandom, type Random } from '../chaos/support/random.ts'
import { hash } from '../../simulators/src/random.ts'
import { mutateBytes } from './mutate.ts'

/** Bytes for a socket. */
export interface PacketCase {
  /** Sent before the broker knows who speaks, instead of a proper CONNECT. */
  isFirst: boolean
  bytes: Buffer
}

export interface Credential {
  username: string
  password: string
}

/** The same seed and index give the same case. */
export function createPacketCase(
  index: number,
  { seed, credential }: { seed: number; credential: Credential },
): PacketCase {
  const random = createSeededRandom(hash(seed, index))
  const isFirst = random.chance(0.2)
  const valid = (): Buffer =>
    isFirst && random.chance(0.8) ? connectPacket(random, credential) : random.pick(PACKETS)(random)
  const bytes = random.pick(WAYS)(valid, random)
  return { isFirst, bytes }
}

export function connectPacket(random: Random, { username, password }: Credential): Buffer {
  const hasWill = random.chance(0.3)
  return generate({
    cmd: 'connect',
    clientId: `${random.pick(['', 'fuzz', 'x'.repeat(23), 'x'.repeat(300), 'a/b#+'])}${random.between(0, 9_999)}`,
    protocolVersion: random.pick([3, 4, 4, 4, 5]),
    protocolId: 'MQTT',
    clean: random.chance(0.7),
    keepalive: random.between(0, 65_535),
    username: random.chance(0.9) ? username : 'nobody',
    password: Buffer.from(random.chance(0.9) ? password : 'wrong'),
    ...(hasWill && {
      will: { topic: aTopic(random), payload: Buffer.from('{}'), qos: random.pick([0, 1, 2]), retain: false },
    }),
  })
}

const PACKETS: readonly ((random: Random) => Buffer)[] = [
  publish,
  publish,
  publish,
  (random) =>
    generate({
      cmd: 'subscribe',
      messageId: anId(random),
      subscriptions: Array.from({ length: random.between(1, 20) }, () => ({
        topic: aTopic(random),
        qos: random.pick([0, 1, 2] as const),
      })),
    }),
  (random) => generate({ cmd: 'unsubscribe', messageId: anId(random), unsubscriptions: [aTopic(random)] }),
  (random) => generate({ cmd: 'puback', messageId: anId(random) }),
  (random) => generate({ cmd: 'pubrec', messageId: anId(random) }),
  (random) => generate({ cmd: 'pubrel', messageId: anId(random) }),
  (random) => generate({ cmd: 'pubcomp', messageId: anId(random) }),
  (random) => generate({ cmd: 'suback', messageId: anId(random), granted: [0, 1] }),
  (random) => generate({ cmd: 'unsuback', messageId: anId(random), granted: [] }),
  () => generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }),
  () => generate({ cmd: 'pingreq' }),
  () => generate({ cmd: 'pingresp' }),
  () => generate({ cmd: 'disconnect' }),
  (random) => connectPacket(random, { username: 'fuzz-gateway', password: 'again' }),
]

function publish(random: Random): Buffer {
  const qos = random.pick([0, 1, 2] as const)
  const payload = random.pick([
    () => Buffer.from('{"energy":1}'),
    () => random.bytes(random.between(0, 40)),
    () => Buffer.alloc(0),
    () => Buffer.alloc(random.chance(0.05) ? random.between(60_000, 70_000) : 100, 0x5b),
  ])()
  const packet: Packet = {
    cmd: 'publish',
    topic: aTopic(random),
    payload,
    qos,
    messageId: anId(random),
    dup: random.chance(0.2),
    retain: random.chance(0.2),
  }
  return generate(packet)
}

function anId(random: Random): number {
  return random.chance(0.2) ? 65_535 : random.between(1, 20)
}

function aTopic(random: Random): string {
  return random.pick([
    'pulso/lighting/fuzz-1/telemetry',
    'pulso/lighting/fuzz-2/telemetry',
    'pulso/lighting/fuzz-1/presence',
    'pulso/lighting/fuzz-1/senml',
    'pulso/lighting/fuzz-1/command',
    'pulso/lighting/other/telemetry',
    'v1/devices/me/telemetry',
    'v3/a@b/devices/c/up',
    'application/1/device/0000000000000001/event/up',
    '$SYS/broker',
    '#',
    '+/+',
    '/',
    'pulso//fuzz-1/telemetry',
    'pulso/lighting/fuzz-1/telemetry/',
    'p'.repeat(300),
    '/'.repeat(200),
    'pulso/__proto__/fuzz-1/telemetry',
  ])
}

type Way = (valid: () => Buffer, random: Random) => Buffer

/** What is done to a valid packet, or sent instead of one. */
const WAYS: readonly Way[] = [
  (valid) => valid(),
  (valid, random) => mutateBytes(valid(), random),
  (valid, random) => mutateBytes(valid(), random),
  (valid, random) => mutateBytes(valid(), random),
  // Another type or other flags: QoS 3, reserved bits, type 0 and 15.
  (valid, random) => withByte(valid(), 0, random.between(0, 255)),
  // A length that is not the packet's.
  (valid, random) => withLength(valid(), random.pick([0, 1, 2, 3, 100, 127, 128, 16_383, 65_536])),
  (valid, random) => withLength(valid(), random.pick([1_000, 70_000, 2_097_152, 268_435_455])),
  // A length that never ends.
  (valid) => Buffer.concat([valid().subarray(0, 1), Buffer.of(0xff, 0xff, 0xff, 0xff, 0x7f), valid()]),
  // Cut anywhere.
  (valid, random) => cut(valid(), random),
  // Packet id 0, a NUL or no UTF-8 in the topic.
  () =>
    Buffer.from(
      '32240020' + Buffer.from('pulso/lighting/fuzz-1/telemetry\0').toString('hex') + '0000',
      'hex',
    ),
  () => Buffer.concat([Buffer.of(0x32, 0x09, 0x00, 0x05, 0x70, 0xff, 0xfe, 0xc0, 0x80, 0, 1)]),
  () => Buffer.concat([Buffer.of(0x30, 0x05, 0x00, 0x03, 0xed, 0xa0, 0x80)]),
  // A topic longer than the packet.
  () => Buffer.of(0x30, 0x04, 0xff, 0xff, 0x61, 0x62),
  // Subscriptions to nothing, and an empty filter.
  () => Buffer.of(0x82, 0x02, 0x00, 0x01),
  () => Buffer.of(0x82, 0x05, 0x00, 0x01, 0x00, 0x00, 0x01),
  () => Buffer.of(0x82, 0x06, 0x00, 0x01, 0x00, 0x01, 0x23, 0x03),
  // Many at once, some of them wrong.
  (valid, random) =>
    Buffer.concat(
      Array.from({ length: random.between(2, 30) }, () =>
        random.chance(0.2) ? mutateBytes(valid(), random) : valid(),
      ),
    ),
  (_, random) => random.bytes(random.between(1, 200)),
  () => Buffer.from('GET / HTTP/1.1\r\nHost: pulso\r\n\r\n'),
  () => Buffer.from('16030100c8010000c40303', 'hex'),
  () => Buffer.of(0x10, 0x0c, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x04, 0xff, 0x00, 0x3c, 0x00, 0x00),
  (_, random) => Buffer.alloc(random.between(1, 2_000), 0xc0),
  () => Buffer.alloc(0),
]

function withByte(bytes: Buffer, index: number, value: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[index] = value
  return changed
}

function withLength(packet: Buffer, length: number): Buffer {
  let bodyFrom = 1
  while (((packet[bodyFrom] ?? 0) & 0x80) !== 0) bodyFrom++
  const encoded: number[] = []
  let left = length
  do {
    encoded.push((left % 128) | (left > 127 ? 128 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return Buffer.concat([packet.subarray(0, 1), Buffer.from(encoded), packet.subarray(bodyFrom + 1)])
}

function cut(packet: Buffer, random: Random): Buffer {
  return packet.subarray(0, random.between(0, packet.length - 1))
}
