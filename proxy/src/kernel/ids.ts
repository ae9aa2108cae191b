import { hash, randomBytes } from 'node:crypto'

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** `req_` and 32 hex digits: 128 random bits, so an id cannot be guessed. */
export type RequestId = Brand<string, 'RequestId'>
/** `agt_` and 16 hex digits. */
export type AgentId = Brand<string, 'AgentId'>
/** `app_` and 16 hex digits. */
export type AppId = Brand<string, 'AppId'>
/** `acc_` and 16 hex digits: a person who signed up. */
export type AccountId = Brand<string, 'AccountId'>
/** What usage is counted, limited and shared fairly by. */
export type CallerId = AgentId | AppId
/** `run_` and 32 hex digits: 128 random bits, so an id cannot be guessed. */
export type RunId = Brand<string, 'RunId'>
/** `mch_` and 16 hex digits: a machine, whatever container it is at the moment. */
export type MachineId = Brand<string, 'MachineId'>
/** SHA-256 of the code's UTF-8 bytes, 64 lower-case hex digits. */
export type CodeHash = Brand<string, 'CodeHash'>
/** SHA-256 of a consent's canonical JSON, 64 lower-case hex digits. */
export type ConsentHash = Brand<string, 'ConsentHash'>

/** Whose rows: every table has it in every row, and a store is bound to one. */
export type TenantId = Brand<string, 'TenantId'>
/** The one tenant of an installation that has no others. */
export const DEFAULT_TENANT = 'default' as TenantId

/** A name of a folder that belongs to a tenant other than the default one. */
export const isTenantId = (text: string): boolean => /^ten_[0-9a-f]{16}$/.test(text)

/** `ten_` and 16 hex digits. */
export const newTenantId = (): TenantId => `ten_${randomBytes(8).toString('hex')}` as TenantId
export const newAccountId = (): AccountId => `acc_${randomBytes(8).toString('hex')}` as AccountId
export const newRequestId = (): RequestId => `req_${randomBytes(16).toString('hex')}` as RequestId
export const newAgentId = (): AgentId => `agt_${randomBytes(8).toString('hex')}` as AgentId
export const newAppId = (): AppId => `app_${randomBytes(8).toString('hex')}` as AppId
export const newRunId = (): RunId => `run_${randomBytes(16).toString('hex')}` as RunId
export const newMachineId = (): MachineId => `mch_${randomBytes(8).toString('hex')}` as MachineId
export const isMachineId = (text: string): text is MachineId => /^mch_[0-9a-f]{16}$/.test(text)

/** Of what is an agent's or somebody else's. */
export const isAgentId = (id: string): id is AgentId => /^agt_[0-9a-f]{16}$/.test(id)

const FEWEST_BITS = 48

/** `bits` random bits as base64url without padding. Throws for so few that two are the same by chance. */
export function randomToken(bits: number): string {
  if (bits < FEWEST_BITS) throw new RangeError(`a random token has at least ${FEWEST_BITS} bits`)
  return randomBytes(bits / 8).toString('base64url')
}

/** SHA-256 of UTF-8 text or bytes, lower-case hex. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data)
