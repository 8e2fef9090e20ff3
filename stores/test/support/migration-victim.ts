/** Begins to bring a file's schema forward, and is killed by its own hand before that is committed. */
import { toKinds, type Kind, type Kinds } from '@pulso/model'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { openSqlite } from '../../src/sqlite.ts'
import { createKinds, LEVEL } from './kinds.ts'

const [store, file = ''] = process.argv.slice(2)
const kill = (): never => {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('still here')
}

if (store === 'sqlite') {
  const steps = [
    'CREATE TABLE things (name TEXT)',
    "ALTER TABLE things ADD COLUMN colour TEXT DEFAULT 'grey'",
  ]
  const migrations = new Proxy(steps, {
    get(target, key) {
      // The steps that are still to be done, and behind the last of them the kill.
      if (key !== 'slice') return Reflect.get(target, key) as unknown
      return function* (from: number) {
        yield* target.slice(from)
        kill()
      }
    },
  })
  openSqlite({ file, store: 'registry', migrations })
} else {
  const kinds = createKinds({ extra: LEVEL })
  const victims: Kinds = toKinds([...kinds.values()])
  Object.assign(victims, {
    *values(): Generator<Kind> {
      yield* kinds.values()
      kill()
    },
  })
  await openDuckdbReadings({ file, kinds: victims })
}
