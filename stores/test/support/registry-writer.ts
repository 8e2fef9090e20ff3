/** A thread that opens the registry, perhaps first of all, and adds sensors to it. */
import { workerData } from 'node:worker_threads'
import { openSqliteRegistry } from '@pulso/stores'

const { file, name } = workerData as { file: string; name: string }
const registry = await openSqliteRegistry({ file })
for (let n = 0; n < 20; n++) {
  await registry.putSensors([
    { id: `${name}${n}`, kind: 'bin', name: null, position: null, attributes: {}, createdAtMs: 0 },
  ])
}
await registry.close()
