export { createBroker, type Broker, type BrokerOptions } from './broker.ts'
export { DEFAULT_BROKER_LIMITS, type BrokerLimits } from './limits.ts'
