import { createDevicesAdministration } from './administration/devices.ts'
import type { DevicesAdministration, DevicesAdministrationOptions } from './administration/devices.ts'
import { createOperatorsAdministration, type OperatorsAdministration } from './administration/operators.ts'

export type {
  AddedDevice,
  DeviceDetail,
  DeviceRow,
  DeviceToAdd,
  RotatedDevice,
  Secret,
} from './administration/device.ts'
export type { GatewayToProvide, ImportResult, ImportRow } from './administration/devices.ts'

/** What the commands change in a running or a stopped box. */
export interface Administration extends DevicesAdministration, OperatorsAdministration {}

export type AdministrationOptions = DevicesAdministrationOptions

export function createAdministration(options: AdministrationOptions): Administration {
  return { ...createDevicesAdministration(options), ...createOperatorsAdministration(options) }
}
