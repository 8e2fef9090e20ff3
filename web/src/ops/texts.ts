import type { Messages } from '../shared/i18n.ts'
import { en, type OpsKey } from './texts-en.ts'
import { es } from './texts-es.ts'
import { fr } from './texts-fr.ts'

export type { OpsKey }

/** Everything that the operators' page says, beside what both pages say. */
export const opsMessages: Messages<OpsKey> = { en, es, fr }
