import type { Attributes, LorawanDevice, MetricValue, Position, QuarantineReason } from '@pulso/model'
import type { CredentialAccess, CredentialScope } from '@pulso/stores'

/** Shown once, kept only as a hash. */
export interface Secret {
  username: string
  password: string
}

/** What a person or an import says of a device. */
export interface DeviceToAdd {
  id: string
  /** May be left out for a gateway, and for a sensor that is known. */
  kind?: string
  name?: string
  position?: Position
  attributes?: Attributes
  /** Makes it a gateway: it may publish for every sensor id that starts with this. */
  gatewayPrefix?: string
  /** In any usual spelling; with it the sensor needs no credential of ours. */
  devEui?: string
  /** What reads its LoRaWAN payload, where the network does not decode. */
  codec?: string
  /** Left out: `none` for a LoRaWAN device, `password` for all others. */
  access?: CredentialAccess | 'none'
  /** A password or token that the device has already; left out, one is made. */
  secret?: string
}

/** How a device gets in, shown once: as it is used at CONNECT. */
export type DeviceAccess =
  | ({ access: 'password' } & Secret)
  /** The token is the username, and the password is empty. */
  | ({ access: 'token'; token: string } & Secret)
  /** What the client certificate has to be called. */
  | { access: 'certificate'; commonName: string }
  | { access: 'none' }

/** `devEui` and `codec` as they are kept. */
export type AddedDevice = { device: string } & DeviceAccess & Partial<LorawanDevice>

export type RotatedDevice = { device: string; previousUntil: string | null } & Extract<DeviceAccess, Secret>

/** A credential, or a sensor that a LoRaWAN network speaks for. Times are ISO 8601. */
export interface DeviceRow {
  device: string
  access: CredentialAccess | 'none'
  scope: CredentialScope
  kind: string | null
  position: Position | null
  lorawan: LorawanDevice | null
  createdAt: string
  /** Until when the secret before the last rotation is good, while it is. */
  previousUntil: string | null
}

/** All that is known of a device, but for its secret. */
export interface DeviceDetail {
  device: string
  sensor: {
    kind: string
    name: string | null
    position: Position | null
    attributes: Attributes
    lorawan: LorawanDevice | null
    createdAt: string
  } | null
  credential: {
    access: CredentialAccess
    scope: CredentialScope
    createdAt: string
    previousUntil: string | null
  } | null
  /** What its connection last said of itself. */
  presence: 'online' | 'offline' | null
  /** The newest reading, by the device's own clock, and when it came in. */
  lastReading: { time: string; receivedAt: string; values: Record<string, MetricValue> } | null
  quarantine: {
    count: number
    newest: {
      receivedAt: string
      reason: QuarantineReason
      detail: string
      topic: string
      metric: string | null
    } | null
  }
}
