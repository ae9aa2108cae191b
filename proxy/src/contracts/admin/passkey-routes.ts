import { z } from 'zod'
import type { Route } from '../index.ts'

const MAX_LABEL_CHARS = 64
/** Shown in lists: one line of it, and nothing that is not seen. */
export const passkeyLabel = z
  .string()
  .trim()
  .min(1)
  .max(MAX_LABEL_CHARS)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'one line of visible characters')

const passkeyView = z.object({
  /** The credential's id, as its authenticator made it. */
  id: z.string(),
  label: z.string(),
  /** The person's name at the time it was registered. */
  who: z.string(),
  /** Whose it is, as the audit names them. */
  person: z.string(),
  /** Yours. */
  own: z.boolean(),
  created_at: z.int(),
  /** Null: never since it was registered. */
  last_used_at: z.int().nullable(),
})
export type PasskeyView = z.output<typeof passkeyView>

/** Passkeys that sign in at the console: a part of ADMIN_ROUTES. They are registered in a browser alone. */
export const PASSKEY_ROUTES = {
  listPasskeys: {
    method: 'GET',
    path: '/v1/passkeys',
    summary: 'Your passkeys; the owner sees everybody’s.',
    scope: 'owner',
    action: 'passkey.list',
    answer: z.object({ passkeys: z.array(passkeyView) }),
    errors: [],
  },
  renamePasskey: {
    method: 'PATCH',
    path: '/v1/passkeys/:id',
    summary: 'Give one of your passkeys another label.',
    scope: 'owner',
    action: 'passkey.manage',
    body: z.strictObject({ label: passkeyLabel }),
    answer: passkeyView,
    errors: ['invalid_request', 'not_found'],
  },
  removePasskey: {
    method: 'DELETE',
    path: '/v1/passkeys/:id',
    summary:
      'Remove one of your passkeys, or as the owner anybody’s; its person is signed out everywhere else.',
    scope: 'owner',
    action: 'passkey.manage',
    answer: z.object({ ok: z.literal(true), sessions: z.int() }),
    errors: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>

/** Bytes as base64url without padding; `max` of its characters. */
const bytes = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\w-]+$/, 'takes base64url')

/** What `navigator.credentials.get` gave, by its `toJSON()`; browsers add members, which are dropped. */
export const assertionJson = z.object({
  id: bytes(1_400),
  rawId: bytes(1_400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytes(4_096),
    authenticatorData: bytes(4_096),
    signature: bytes(2_048),
    userHandle: bytes(128).nullish(),
  }),
})
/** Of `navigator.credentials.create`. */
export const registrationJson = z.object({
  id: bytes(1_400),
  rawId: bytes(1_400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytes(4_096),
    attestationObject: bytes(12_288),
    transports: z.array(z.string().max(64)).max(16).optional(),
  }),
})
