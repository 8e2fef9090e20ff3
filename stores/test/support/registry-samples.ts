import type { Sensor } from '@pulso/model'
import type { Credential, IngestState, QuarantineEntry } from '@pulso/stores'

export const NOW_MS = Date.UTC(2026, 0, 1)

export function sensor(id: string): Sensor {
  return { id, kind: 'bin', name: null, position: null, attributes: {}, createdAtMs: NOW_MS }
}

export function credential(username: string): Credential {
  return {
    username,
    access: 'password',
    secretHash: 'hash',
    previous: null,
    scope: { type: 'sensor', sensorId: 's1' },
    createdAtMs: NOW_MS,
  }
}

export function state(sensorId: string, level: number): IngestState {
  const timeMs = NOW_MS + level
  return {
    sensorId,
    kind: 'bin',
    timeMs,
    receivedAtMs: timeMs + 5,
    values: { level: { value: level, timeMs }, lid: { value: 'open', timeMs: timeMs - 1 } },
    hourly: { level: { mean: 1.5, coverage: 0.25 } },
    presence: 'online',
    newest: { level },
    window: { level: [[timeMs, level]] },
  }
}

export function entry(changes: Partial<QuarantineEntry> = {}): QuarantineEntry {
  return {
    receivedAtMs: NOW_MS,
    reason: 'invalid-json',
    detail: 'It ends in the middle',
    topic: 'pulso/bin/s1/telemetry',
    sensorId: 's1',
    metric: null,
    payload: new Uint8Array([0, 123, 255]),
    ...changes,
  }
}
