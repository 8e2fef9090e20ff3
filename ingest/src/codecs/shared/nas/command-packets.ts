import type { Fields } from '../../../codec.ts'
import { bits, fields, listOf, packet, uint8, type Input, type PacketTable, type Part } from './layout.ts'
import { address, anyDevice, driverStatus, hex, level } from './values.ts'

/** Commands, and the luminaire's answers to them: they begin alike and are told apart by what follows. */
const COMMANDS: PacketTable = {
  0x01: packet(
    'manual_dimming',
    fields({ destination: listOf(fields({ address: anyDevice, dimming_level__percent: level('resume') })) }),
  ),
  0x03: packet('custom_dali_request', readCustomRequest),
  0x04: packet('custom_dali_command', fields({ dali_command: hex() })),
  0x07: packet('driver_memory_read', orFailed('driver_memory_read', readMemory)),
  0x08: packet(
    'driver_memory_write',
    orFailed('driver_memory_write', (input) => ({ ...memoryAddress(input), memory_value: input.hex() })),
  ),
  0x09: packet(
    'manual_timed_dimming',
    fields({
      destination: listOf(
        fields({ address: anyDevice, dimming_level__percent: level('resume'), duration__minutes: uint8 }),
      ),
    }),
  ),
  0x0c: packet('open_drain_output_control', bits('open_drain_output_on')),
}

export const COMMANDS_1_0: PacketTable = {
  ...COMMANDS,
  0x00: packet('dali_status_request', (input) => {
    // A request has an address, an answer pairs of address and status.
    if (input.left() !== 1) return { dali_statuses: listOf(driverStatus)(input) }
    const about = address()(input)
    return { address: about === 'dali_broadcast' ? 'all_drivers' : about }
  }),
  0x05: packet('status_usage_request', bits('usage_requested', 'status_requested')),
  0x06: packet('interface_request', readInterfaces),
}

const dimMap = fields({
  address: address(),
  dali_min_level: uint8,
  dali_max_level: uint8,
  dimming_curve: (input) => (input.uint8() === 0 ? 'logarithmic' : 'linear'),
})

export const COMMANDS_1_1: PacketTable = {
  ...COMMANDS,
  0x05: packet('status_usage_request', (input) => {
    const request = bits(
      'usage_requested',
      'status_requested',
      'dim_map_report_requested',
      'request_gnss_notification',
    )(input)
    const hasAnswer = request.dim_map_report_requested === true && input.left() > 0
    return hasAnswer ? { ...request, drivers: listOf(dimMap)(input) } : request
  }),
  0x0a: packet('address_dali_driver', fields({ address: address('rescan_dali_bus') })),
  0x0b: packet('dali_identify'),
}

const memoryAddress = fields({ address: address(), memory_bank: uint8, memory_address: uint8 })

/** An empty answer says that it did not work. */
function orFailed(type: string, read: Part<Fields>): Part<Fields> {
  return (input) => {
    if (input.left() > 0) return read(input)
    input.warnings.push(`${type}_failed`)
    return {}
  }
}

function readMemory(input: Input): Fields {
  const request = { ...memoryAddress(input), read_size__bytes: input.uint8() }
  return input.left() === 0 ? request : { ...request, memory_value: input.hex(request.read_size__bytes) }
}

/** Up to three bytes are one address, its query and perhaps the answer; of more, nobody knows which is which. */
function readCustomRequest(input: Input): Fields {
  if (input.left() > 3) return { query_data_raw: input.hex() }
  const bytes = input.bytes(input.left())
  const [, query, response] = bytes
  return {
    query_data_raw: Buffer.from(bytes).toString('hex').toUpperCase(),
    ...(query === undefined ? {} : { dali_query: query }),
    ...(response === undefined ? {} : { dali_response: response }),
  }
}

const INTERFACES = [1, 2, 3, 4]

/** Pairs of an interface's number and its value; the third one is no longer used. */
function readInterfaces(input: Input): Fields {
  if (input.left() === 1) {
    input.uint8()
    return {}
  }
  const read: Record<number, number> = {}
  for (const id of INTERFACES) {
    if (input.uint8() !== id) throw new Error(`The interface ${id} is not where it should be`)
    read[id] = input.uint8()
  }
  const [, , , outputs = 0] = INTERFACES.map((id) => read[id] ?? 0)
  const ldr = read[2] ?? 255
  return {
    dig: DIGITAL[read[1] ?? 255] ?? 'invalid_value',
    ldr: ldr === 255 ? 'n/a' : ldr,
    internal_relay_closed: (outputs & 1) === 1,
    open_drain_output_on: (outputs & 2) === 2,
  }
}

const DIGITAL: Readonly<Record<number, string>> = { 0: 'off', 1: 'on', 255: 'n/a' }
