import { boxScenario } from './box.ts'
import { clockScenario } from './clock.ts'
import { diskFullScenario } from './disk-full.ts'
import { duplicatesScenario } from './duplicates.ts'
import { fsyncScenario } from './fsync.ts'
import { halfWrittenScenario } from './half-written.ts'
import { influxdbScenario } from './influxdb.ts'
import type { Scenario } from './scenario.ts'
import { sourceScenario } from './source.ts'
import { threadsScenario } from './threads.ts'

export type { Scenario, ScenarioContext } from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [
  boxScenario,
  threadsScenario,
  sourceScenario,
  influxdbScenario,
  diskFullScenario,
  clockScenario,
  duplicatesScenario,
  halfWrittenScenario,
  fsyncScenario,
]
