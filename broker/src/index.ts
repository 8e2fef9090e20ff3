export { createBroker, type Broker, type BrokerOptions } from './broker.ts'
export { DEFAULT_BROKER_LIMITS, type BrokerLimits } from './limits.ts'
export type { BrokerPorts } from './ports.ts'
export type { TlsOptions } from './tls.ts'
