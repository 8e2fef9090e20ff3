import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Qos, SourceSettings } from '@pulso/ingest'
import { AppError, clip, messageOf } from '@pulso/model'

const KNOWN_KEYS = [
  'name',
  'url',
  'username',
  'password',
  'passwordFile',
  'clientId',
  'topics',
  'qos',
  'ca',
  'cert',
  'key',
] as const
type Key = (typeof KNOWN_KEYS)[number]

const MAX_SOURCES = 32
const MAX_TOPICS = 100
const NAME = /^[A-Za-z0-9._-]{1,64}$/

/**
 * The external brokers that `PULSO_SOURCES` names, with the files that they name in their turn (relative to its folder).
 * @throws AppError `invalid-sources` that names all mistakes at once, and no secret
 */
export async function loadSources(file: string | null): Promise<SourceSettings[]> {
  if (file === null) return []
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('invalid-sources', `The sources ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  })
  const mistakes: string[] = []
  const entries = parseList(content, mistakes)
  const sources = await Promise.all(
    entries.map((entry, index) => readSource(entry, { index, folder: dirname(file), mistakes })),
  )
  findTwins(sources, mistakes)
  if (mistakes.length > 0) {
    const message = `The sources ${file} have mistakes:\n  ${mistakes.join('\n  ')}`
    throw new AppError('invalid-sources', message, { details: mistakes })
  }
  return sources
}

function parseList(content: string, mistakes: string[]): unknown[] {
  let list: unknown
  try {
    list = JSON.parse(content)
  } catch {
    // The parser's own words show a piece of the text, which may be a password.
    mistakes.push('it is not JSON')
    return []
  }
  if (!Array.isArray(list)) {
    mistakes.push('it must be a list: [{"name": …, "url": …, "topics": […]}]')
    return []
  }
  if (list.length > MAX_SOURCES) mistakes.push(`there are ${list.length} sources, more than ${MAX_SOURCES}`)
  return list.slice(0, MAX_SOURCES)
}

interface Place {
  index: number
  folder: string
  mistakes: string[]
}

async function readSource(entry: unknown, { index, folder, mistakes }: Place): Promise<SourceSettings> {
  const isObject = typeof entry === 'object' && entry !== null && !Array.isArray(entry)
  const given = (isObject ? entry : {}) as Readonly<Record<string, unknown>>
  const where = typeof given.name === 'string' && NAME.test(given.name) ? given.name : `source ${index + 1}`
  const mistake = (text: string): void => void mistakes.push(`${where}: ${text}`)
  if (!isObject) mistake('must be an object')
  for (const key of Object.keys(given)) {
    if (!KNOWN_KEYS.some((known) => known === key)) {
      mistake(`there is no '${clip(key)}', only ${KNOWN_KEYS.join(', ')}`)
    }
  }
  const text = (key: Key): string | null => {
    const value = given[key]
    if (value === undefined || value === null) return null
    if (typeof value === 'string' && value !== '') return value
    mistake(`${key} must be a text`)
    return null
  }
  const readNamed = async (key: Key): Promise<string | null> => {
    const path = text(key)
    if (path === null) return null
    return readFile(resolve(folder, path), 'utf8').catch((error: unknown) => {
      mistake(`${key} cannot be read: ${messageOf(error)}`)
      return null
    })
  }

  const name = text('name') ?? ''
  if (!NAME.test(name)) mistake('name must be 1 to 64 of A-Z a-z 0-9 . _ -')
  const url = readUrl(text('url'), mistake)
  const password = text('password')
  const passwordOfFile = await readNamed('passwordFile')
  if (password !== null && given.passwordFile !== undefined) mistake('has both password and passwordFile')
  const username = text('username')
  // MQTT 3.1.1, 3.1.2.9: no password without a user name.
  if (username === null && (password ?? passwordOfFile) !== null) mistake('has a password and no username')
  const [ca, cert, key] = [await readNamed('ca'), await readNamed('cert'), await readNamed('key')]
  if ((given.cert === undefined) !== (given.key === undefined)) mistake('cert and key belong together')
  if (url.startsWith('mqtt:') && [given.ca, given.cert, given.key].some((each) => each !== undefined)) {
    mistake('ca, cert and key need a url that begins with mqtts://')
  }
  return {
    name,
    url,
    username,
    password: password ?? passwordOfFile?.replace(/\r?\n$/, '') ?? null,
    clientId: text('clientId') ?? `pulso-${name}`,
    topics: readTopics(given.topics, mistake),
    qos: readQos(given.qos, mistake),
    tls: { ca, cert, key },
  }
}

type Mistake = (text: string) => void

function readUrl(raw: string | null, mistake: Mistake): string {
  const url = raw !== null && /^mqtts?:\/\//.test(raw) && URL.canParse(raw) ? new URL(raw) : undefined
  if (!url || url.hostname === '') {
    mistake('url must be mqtt://host:port or mqtts://host:port')
    return ''
  }
  if (url.username !== '' || url.password !== '') mistake('url must not hold a user: see username, password')
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    mistake('url must end after the port')
  }
  return `${url.protocol}//${url.host}`
}

function readTopics(raw: unknown, mistake: Mistake): string[] {
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > MAX_TOPICS) {
    mistake(`topics must be a list of 1 to ${MAX_TOPICS} topic filters`)
    return []
  }
  const topics = raw.filter((topic) => typeof topic === 'string' && isTopicFilter(topic)) as string[]
  if (topics.length < raw.length) {
    mistake('topics must be topic filters: + for one whole level, # for all that follow, at the end alone')
  }
  if (new Set(topics).size < topics.length) mistake('topics has one of them twice')
  return topics
}

/** MQTT 3.1.1, 4.7.1 */
function isTopicFilter(topic: string): boolean {
  if (topic === '' || topic.includes('\0') || Buffer.byteLength(topic) > 1_024) return false
  const levels = topic.split('/')
  return levels.every(
    (level, index) =>
      (!level.includes('+') || level === '+') &&
      (!level.includes('#') || (level === '#' && index === levels.length - 1)),
  )
}

function readQos(raw: unknown, mistake: Mistake): Qos {
  if (raw === undefined) return 1
  if (raw === 0 || raw === 1 || raw === 2) return raw
  mistake('qos must be 0, 1 or 2')
  return 1
}

/** Two with one name would share their files; two with one client id would throw each other out of the broker. */
function findTwins(sources: readonly SourceSettings[], mistakes: string[]): void {
  const find = (what: string, keyOf: (source: SourceSettings) => string): void => {
    const keys = sources.filter(({ name }) => name !== '').map(keyOf)
    for (const key of new Set(keys.filter((each, index) => keys.indexOf(each) !== index))) {
      mistakes.push(`two sources have the ${what} ${clip(key)}`)
    }
  }
  find('name', ({ name }) => name)
  find('client id and broker', ({ clientId, url }) => `${clientId} at ${url}`)
}
