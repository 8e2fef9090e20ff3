import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { Qos, SourceSettings, TopicStatus } from './options.ts'

/**
 * What the broker's session is subscribed to, over restarts: a topic that was taken off the list would go on being
 * delivered otherwise, because the session remembers it.
 */
export interface Subscriptions {
  /** There was a session of this client id at this broker before. */
  readonly isKnown: boolean
  /** Topics of the session that are not wanted any more. */
  left(): string[]
  /** Before anything is asked of the broker. */
  asking(): void
  /** The broker has dropped what is `left`. */
  dropped(): void
  /** The session is new: it has no topics. */
  begin(): void
  /** The broker's answer to SUBSCRIBE, in the order of `topics` (MQTT 3.1.1, 3.9.3). */
  answer(topics: readonly string[], granted: readonly number[]): void
  refused(): string[]
  list(): TopicStatus[]
}

interface Remembered {
  session: string
  topics: string[]
}

const REFUSED = 0x80

export function createSubscriptions(options: {
  file: string
  settings: Pick<SourceSettings, 'url' | 'clientId' | 'topics' | 'qos'>
  logger: Logger
}): Subscriptions {
  const { file, settings, logger } = options
  const { topics, qos } = settings
  const session = `${settings.clientId} at ${new URL(settings.url).host}`
  const remembered = load(file)
  let isKnown = remembered?.session === session
  let old = isKnown ? (remembered?.topics ?? []) : []
  const states = new Map<string, TopicStatus>()

  const save = (): void => {
    const all = [...new Set([...topics, ...old])]
    store(file, { session, topics: all })
    isKnown = true
  }

  return {
    get isKnown() {
      return isKnown
    },
    left: () => old.filter((topic) => !topics.includes(topic)),
    asking() {
      for (const topic of topics) states.set(topic, { topic, state: 'asked', qos: null })
      save()
    },
    dropped() {
      old = []
      save()
    },
    begin() {
      old = []
    },
    answer(asked, granted) {
      asked.forEach((topic, index) => {
        const code = granted[index] ?? REFUSED
        if (code > 2) {
          states.set(topic, { topic, state: 'refused', qos: null })
          logger.error({ topic }, 'The broker refuses a topic: nothing comes from it')
          return
        }
        states.set(topic, { topic, state: 'granted', qos: code as Qos })
        if (code < qos) logger.warn({ topic, asked: qos, granted: code }, 'The broker grants a lower QoS')
      })
    },
    refused: () => [...states.values()].filter(({ state }) => state === 'refused').map(({ topic }) => topic),
    list: () => topics.map((topic) => states.get(topic) ?? { topic, state: 'asked', qos: null }),
  }
}

/** What cannot be read is as good as nothing: then topics that were taken off the list stay in the session. */
function load(file: string): Remembered | undefined {
  try {
    const { session, topics } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Remembered>
    if (typeof session !== 'string' || !Array.isArray(topics)) return undefined
    return { session, topics: topics.filter((topic) => typeof topic === 'string') }
  } catch {
    return undefined
  }
}

function store(file: string, remembered: Remembered): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const next = `${file}.next`
  writeFileSync(next, JSON.stringify(remembered), { mode: 0o600 })
  renameSync(next, file)
}
