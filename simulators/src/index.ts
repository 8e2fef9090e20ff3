export * from './behaviour/create-behaviours.ts'
export type { Behaviour } from './behaviour/behaviour.ts'
export * from './plan/plan-virtual-city.ts'
export * from './city/virtual-city.ts'
