/**
 * What is checked against a schema: the city file and the HTTP shapes. Apart from the rest of the
 * vocabulary, so that a thread that checks none of it does not load the library (700 files).
 */
export * from './city.ts'
export * from './http.ts'
export * from './http-aggregates.ts'
export * from './http-parking.ts'
export * from './http-quarantine.ts'
export * from './http-standards.ts'
export * from './http-tiles.ts'
