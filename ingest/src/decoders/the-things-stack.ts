import { objectAt, isObject } from './json.ts'
import type { EnvelopeParser } from './envelope.ts'

/** The Things Stack v3, `v3/{application}@{tenant}/devices/{device}/up`. */
export const parseTheThingsStack: EnvelopeParser = (json) => {
  const uplink = objectAt(json, 'uplink_message')
  const metadata = Array.isArray(uplink.rx_metadata) ? uplink.rx_metadata : []
  return {
    devEui: objectAt(json, 'end_device_ids').dev_eui,
    fPort: uplink.f_port,
    payload: uplink.frm_payload,
    fields: uplink.decoded_payload,
    time: uplink.received_at ?? json.received_at ?? undefined,
    rssi: metadata.filter(isObject).map(({ rssi }) => rssi),
  }
}
