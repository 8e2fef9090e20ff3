import type { SensorFilter } from '../http/query.ts'
import type { View } from './reader.ts'
import { toWish } from './wish.ts'

export interface Views {
  join(filter: SensorFilter): View
  leave(view: View): void
  values(): Iterable<View>
}

/** Readers by what they want to see: what is put together for a view is written to all of its readers. */
export function createViews(): Views {
  const views = new Map<string, View>()
  return {
    join(filter) {
      const wish = toWish(filter)
      const view = views.get(wish.key) ?? { ...wish, live: new Set(), readers: 0 }
      views.set(wish.key, view)
      view.readers += 1
      return view
    },
    leave(view) {
      view.readers -= 1
      if (view.readers === 0) views.delete(view.key)
    },
    values: () => views.values(),
  }
}
