export type * from './ports.ts'
export { createProviderKeys, resealProviderKeys } from './provider-keys.ts'
