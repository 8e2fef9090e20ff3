import type { Language, Text } from '@pulso/model'

export type { Language, Text }

/** A message, with a form for one where the language needs it. `{name}` is replaced by a parameter. */
export type Message = string | { readonly one: string; readonly other: string }
export type Params = Readonly<Record<string, string | number>>
/** One dictionary per language with the same keys: a missing translation does not compile. */
export type Messages<Key extends string> = Readonly<Record<Language, Readonly<Record<Key, Message>>>>

export const LANGUAGES: readonly Language[] = ['en', 'es', 'fr']

/** The languages in their own words, for the switch. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  es: 'Español',
  fr: 'Français',
}

/**
 * The message in words. A parameter named `count` chooses between `one` and `other`.
 * Numbers are written as the language writes them.
 */
export function translate(message: Message, language: Language, params: Params = {}): string {
  return pluralForm(message, language, params.count).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value
  })
}

/** The first wish that we speak: `?lang=`, then what was chosen before, then the browser's list, then English. */
export function pickLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const base = wish?.toLowerCase().split('-')[0]
    const found = LANGUAGES.find((language) => language === base)
    if (found) return found
  }
  return 'en'
}

function pluralForm(message: Message, language: Language, count: string | number | undefined): string {
  if (typeof message === 'string') return message
  const isOne = typeof count === 'number' && new Intl.PluralRules(language).select(count) === 'one'
  return isOne ? message.one : message.other
}
