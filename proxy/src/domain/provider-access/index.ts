export { grantSaid } from './card.ts'
export { limitsSaid, NO_LIMITS, strictest } from './limits.ts'
export type * from './ports.ts'
export { createProviderAccess, DENIED_MINUTES } from './provider-access.ts'
