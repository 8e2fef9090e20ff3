import { createContext } from 'svelte'
import { MediaQuery } from 'svelte/reactivity'
import { readStored, store } from './storage.ts'

export const THEME_CHOICES = ['system', 'light', 'dark'] as const
export type ThemeChoice = (typeof THEME_CHOICES)[number]

export interface Theme {
  /** What the person chose; setting it applies and remembers it. */
  choice: ThemeChoice
  /** What that means now. */
  readonly effective: 'light' | 'dark'
}

/** Light or dark: the system's, unless the person chose. Written to `data-theme` on the root. */
export function createTheme(): Theme {
  const isDark = new MediaQuery('(prefers-color-scheme: dark)')
  const stored = readStored('theme')
  const initial = THEME_CHOICES.find((one) => one === stored) ?? 'system'
  let choice = $state<ThemeChoice>(initial)
  apply(initial)

  return {
    get choice() {
      return choice
    },
    set choice(wanted) {
      choice = wanted
      store('theme', wanted)
      apply(wanted)
    },
    get effective() {
      if (choice !== 'system') return choice
      return isDark.current ? 'dark' : 'light'
    },
  }
}

export const [getTheme, setTheme] = createContext<Theme>()

function apply(choice: ThemeChoice): void {
  if (choice === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = choice
}
