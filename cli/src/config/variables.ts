import { AppError, DAY_MS, parseDuration } from '@pulso/model'

/** One environment variable: its text becomes a value, or an error that says what it should be. */
export interface Variable<T> {
  name: string
  /** As it would be written in `.env`; undefined when there is no default. */
  defaultText: string | undefined
  help: string
  parse(text: string): T
}

interface Described {
  name: string
  help: string
  default?: string
}

export function text({ name, help, default: defaultText }: Described): Variable<string> {
  return { name, help, defaultText, parse: (raw) => raw }
}

export function port({ name, help, default: defaultText }: Described): Variable<number> {
  return { name, help, defaultText, parse: (raw) => parseWhole(raw, 0, 65_535) }
}

/** A whole number, at least `min`. */
export function count({ name, help, default: defaultText }: Described, min = 0): Variable<number> {
  return { name, help, defaultText, parse: (raw) => parseWhole(raw, min, Number.MAX_SAFE_INTEGER) }
}

/** A duration like `5m`, as milliseconds. */
export function duration({ name, help, default: defaultText }: Described): Variable<number> {
  return { name, help, defaultText, parse: parseDuration }
}

/** A duration like `90d`, as milliseconds, or `forever`: `Infinity`. */
export function keeping({ name, help, default: defaultText }: Described): Variable<number> {
  return {
    name,
    help,
    defaultText,
    parse(raw) {
      if (raw.trim() === 'forever') return Infinity
      const keepMs = parseDuration(raw)
      if (keepMs < DAY_MS) throw invalid(`'${raw}' is less than a day, and whole days are kept`)
      return keepMs
    },
  }
}

export function url({ name, help, default: defaultText }: Described): Variable<string> {
  return {
    name,
    help,
    defaultText,
    parse(raw) {
      if (!/^https?:\/\//.test(raw) || !URL.canParse(raw))
        throw invalid(`'${raw}' is not an http:// or https:// address`)
      return raw.replace(/\/+$/, '')
    },
  }
}

export function choice<const T extends string>(described: Described, values: readonly T[]): Variable<T> {
  return {
    name: described.name,
    help: described.help,
    defaultText: described.default,
    parse(raw) {
      const value = values.find((candidate) => candidate === raw)
      if (value === undefined) throw invalid(`'${raw}' is none of ${values.join(', ')}`)
      return value
    },
  }
}

function parseWhole(raw: string, min: number, max: number): number {
  const value = Number(raw)
  if (raw.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`'${raw}' is not a whole number from ${min} to ${max}`)
  }
  return value
}

function invalid(message: string): AppError {
  return new AppError('invalid-value', message)
}
