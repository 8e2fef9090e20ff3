import { createContext } from 'svelte'
import { readAddress, writeAddress } from './address.ts'
import { createFormat, type Format } from './format.ts'
import { pickLanguage, translate, type Language, type Messages, type Params, type Text } from './i18n.ts'
import { sharedMessages, type SharedKey } from './messages.ts'
import { readStored, store } from './storage.ts'

export interface I18n<Key extends string = never> {
  /** The language in use; setting it changes every text, `<html lang>`, the address and what is remembered. */
  language: Language
  /** The city's time zone, once known: clock times are the city's. */
  timeZone: string | undefined
  readonly format: Format
  t(key: Key | SharedKey, params?: Params): string
  /** A text that came from the API in every language. */
  text(text: Text): string
}

/** The page's language, from `?lang=`, the last choice or the browser. `messages` are the page's own. */
export function createI18n<Key extends string = never>(messages?: Messages<Key>): I18n<Key> {
  const initial = pickLanguage([readAddress('lang'), readStored('language'), ...navigator.languages])
  let language = $state(initial)
  let timeZone = $state<string | undefined>()
  const format = $derived(createFormat(language, timeZone))
  document.documentElement.lang = initial

  return {
    get language() {
      return language
    },
    set language(wanted) {
      language = wanted
      store('language', wanted)
      document.documentElement.lang = wanted
      writeAddress({ lang: wanted })
    },
    get timeZone() {
      return timeZone
    },
    set timeZone(zone) {
      timeZone = zone
    },
    get format() {
      return format
    },
    t(key, params) {
      const own: Partial<Record<string, Messages<Key>['en'][Key]>> | undefined = messages?.[language]
      const shared: Partial<Record<string, Messages<SharedKey>['en'][SharedKey]>> = sharedMessages[language]
      return translate(own?.[key] ?? shared[key] ?? key, language, params)
    },
    text: (text) => text[language],
  }
}

/** The shared components' way to the page's language. A page calls `setI18n` once, in its root component. */
export const [getI18n, setI18n] = createContext<I18n>()
