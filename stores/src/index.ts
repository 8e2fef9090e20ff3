export * from './journal.ts'
export * from './readings.ts'
export * from './registry.ts'
export * from './rpc.ts'
