import { defineCodec } from '../codec.ts'
import { COMMANDS_1_0 } from './shared/nas/command-packets.ts'
import { CONFIGS_1_0 } from './shared/nas/config-packets-1-0.ts'
import { decodeByPort } from './shared/nas/decode.ts'
import { EVENTS_1_0, SYSTEM_EVENTS } from './shared/nas/event-packets.ts'
import { byHeader } from './shared/nas/layout.ts'
import { toLampMetrics } from './shared/nas/metrics.ts'
import { FIRMWARE_COMMANDS, REQUESTS_1_0 } from './shared/nas/request-packets.ts'
import { STATUS_1_0 } from './shared/nas/status-packets.ts'
import { USAGE_1_0 } from './shared/nas/usage-packets.ts'

const PORTS = {
  24: STATUS_1_0,
  25: USAGE_1_0,
  49: byHeader(REQUESTS_1_0),
  50: byHeader(CONFIGS_1_0),
  51: byHeader(FIRMWARE_COMMANDS),
  60: byHeader(COMMANDS_1_0),
  61: byHeader(EVENTS_1_0),
  99: byHeader(SYSTEM_EVENTS),
}

/** A luminaire's controller with firmware 1.0.x. It also reads what such a luminaire is sent. */
export default defineCodec({
  name: 'nas-ul20xx-1-0',
  title: 'NAS UL20xx luminaire controller, firmware 1.0',
  decode: (uplink) => decodeByPort(uplink, PORTS),
  toMetrics: toLampMetrics,
})
