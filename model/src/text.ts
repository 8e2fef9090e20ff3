/** The languages the platform speaks from the start. */
export const LANGUAGES = ['en', 'es', 'fr'] as const
export type Language = (typeof LANGUAGES)[number]

/** One text in every language: a missing translation does not compile. */
export type Text = Readonly<Record<Language, string>>
