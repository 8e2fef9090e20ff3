import { openDuckdbReadings } from '@pulso/stores/readings'
import { testRollups } from './rollups-conformance.ts'
import { createFolder } from './support/folder.ts'

testRollups('duckdb', async () => {
  const folder = createFolder()
  const file = `${folder.path}/readings.duckdb`
  return {
    open: (kinds) => openDuckdbReadings({ file, kinds }),
    remove: async () => folder.remove(),
  }
})
