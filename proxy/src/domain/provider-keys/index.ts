export type { KeyCooldown } from './cooldowns.ts'
export type * from './ports.ts'
export { createProviderKeys, resealProviderKeys } from './provider-keys.ts'
export type { KeyAnswer } from './refusal.ts'
