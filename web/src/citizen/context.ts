import type { CityView, KindView } from '@pulso/model'
import { createContext } from 'svelte'
import type { Api } from '../shared/api.ts'
import type { I18n } from '../shared/i18n.svelte.ts'
import type { CityStore } from './city-store.svelte.ts'
import type { CitizenKey } from './messages.ts'
import type { View } from './view.svelte.ts'

/** What every part of the citizen's page works with. */
export interface Citizen {
  api: Api
  i18n: I18n<CitizenKey>
  store: CityStore
  view: View
  /** Below the header only while the city is loaded. */
  readonly city: CityView
  /** The kind being looked at. */
  readonly kind: KindView
}

export const [getCitizen, setCitizen] = createContext<Citizen>()
