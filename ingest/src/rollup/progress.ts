import type { RollupMark, RollupsRegistry } from '@pulso/stores'

/** Up to where each kind's buckets are stored, and its readings deleted (`raw`): the registry's marks, by heart. */
export interface Progress {
  load(): Promise<void>
  /** `undefined` where nothing was done yet. */
  untilMs(kind: string, what: RollupMark['what']): number | undefined
  /** In the registry first: what is known here holds also after a crash. */
  put(mark: RollupMark): Promise<void>
}

export function createProgress(registry: RollupsRegistry): Progress {
  const marks = new Map<string, number>()
  const keep = ({ kind, what, untilMs }: RollupMark): void => void marks.set(`${kind} ${what}`, untilMs)
  return {
    async load() {
      for (const mark of await registry.listRollupMarks()) keep(mark)
    },
    untilMs: (kind, what) => marks.get(`${kind} ${what}`),
    async put(mark) {
      await registry.putRollupMark(mark)
      keep(mark)
    },
  }
}
