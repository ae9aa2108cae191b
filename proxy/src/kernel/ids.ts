import { createHash, randomBytes } from 'node:crypto'

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** `req_` and 32 hex digits: 128 random bits, so an id cannot be guessed. */
export type RequestId = Brand<string, 'RequestId'>
/** `agt_` and 16 hex digits. */
export type AgentId = Brand<string, 'AgentId'>
/** SHA-256 of the code's UTF-8 bytes, 64 lower-case hex digits. */
export type CodeHash = Brand<string, 'CodeHash'>
/** SHA-256 of a consent's canonical JSON, 64 lower-case hex digits. */
export type ConsentHash = Brand<string, 'ConsentHash'>

export const newRequestId = (): RequestId => `req_${randomBytes(16).toString('hex')}` as RequestId
export const newAgentId = (): AgentId => `agt_${randomBytes(8).toString('hex')}` as AgentId

/** `bits` random bits as base64url without padding. */
export const randomToken = (bits: number): string => randomBytes(bits / 8).toString('base64url')

/** SHA-256 of UTF-8 text or bytes, lower-case hex. */
export const sha256Hex = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')
