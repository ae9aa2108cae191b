import { z } from 'zod'
import { accountRow, registrationJson } from '../admin/index.ts'
import type { Route } from '../index.ts'
import { creationOptions } from './creation-options.ts'
import { sessionView } from './session-view.ts'

const password = z.string().min(1).max(1_024)
const email = z.string().min(3).max(254)
const name = z.string().trim().min(1).max(64)

const accessKeyRow = z.object({
  id: z.string(),
  name: z.string(),
  last4: z.string(),
  scopes: z.array(z.string()),
  created_at: z.int(),
  last_used_at: z.int().nullable(),
})
export type AccessKeyRow = z.output<typeof accessKeyRow>

const accountView = accountRow.extend({
  sign_in_keys: z.array(
    z.object({ key_id: z.int(), provider: z.string(), last4: z.string(), created_at: z.int() }),
  ),
  access_keys: z.array(accessKeyRow),
  /** Whose keys can sign in. */
  providers: z.array(z.string()),
})
export type AccountView = z.output<typeof accountView>

/** Ways in for whoever is nobody yet, and what a person changes of their own account. A part of CONSOLE_ROUTES. */
export const ACCOUNT_CEREMONIES = {
  readSignUp: {
    method: 'GET',
    path: '/sign-up',
    summary: 'By what anybody may sign up, and whose keys sign in.',
    scope: 'anyone',
    answer: z.object({
      mode: z.enum(['closed', 'provider-key', 'password', 'passkey']),
      providers: z.array(z.string()),
    }),
    errors: [],
  },
  signUpByPassword: {
    method: 'POST',
    path: '/sign-up/password',
    summary: 'Make an account with a tenant of its own; sets the cookie.',
    scope: 'anyone',
    body: z.strictObject({ email, password, name: name.optional() }),
    answer: sessionView,
    errors: ['invalid_request', 'conflict', 'refused', 'rate_limited'],
  },
  signInByPassword: {
    method: 'POST',
    path: '/session/password',
    summary: 'Sign in by email address and password; sets the cookie.',
    scope: 'anyone',
    body: z.strictObject({ email, password }),
    answer: sessionView,
    errors: ['invalid_request', 'unauthenticated', 'refused', 'rate_limited'],
  },
  signInByKey: {
    method: 'POST',
    path: '/session/key',
    summary: 'Sign in by a key at a provider, or up where that is open; sets the cookie.',
    scope: 'anyone',
    body: z.strictObject({ provider: z.string().max(64), value: z.string().min(1).max(512) }),
    answer: sessionView,
    errors: ['invalid_request', 'unauthenticated', 'refused', 'provider_unavailable', 'rate_limited'],
  },
  signUpOptions: {
    method: 'POST',
    path: '/sign-up/passkey/options',
    summary: 'What to make the passkey of a new account with.',
    scope: 'anyone',
    body: z.strictObject({ name }),
    answer: creationOptions,
    errors: ['invalid_request', 'refused', 'rate_limited'],
  },
  signUpByPasskey: {
    method: 'POST',
    path: '/sign-up/passkey',
    summary: 'Make an account that a passkey signs in; sets the cookie.',
    scope: 'anyone',
    body: z.strictObject({ credential: registrationJson }),
    answer: sessionView,
    errors: ['invalid_request', 'refused', 'rate_limited'],
  },
  stepUpByPassword: {
    method: 'POST',
    path: '/session/step-up',
    summary: 'Prove again by the password who you are, for the next ten minutes.',
    scope: 'session',
    body: z.strictObject({ password }),
    answer: sessionView,
    errors: ['invalid_request', 'unauthenticated', 'refused', 'rate_limited'],
  },
  readAccount: {
    method: 'GET',
    path: '/account',
    summary: 'Your account, and what signs it in.',
    scope: 'session',
    answer: accountView,
    errors: ['unauthenticated', 'refused', 'not_found'],
  },
  setPassword: {
    method: 'PUT',
    path: '/account/password',
    summary: 'Set the password; every other session of yours is over.',
    scope: 'session',
    body: z.strictObject({ password: z.string().min(1).max(1_024) }),
    answer: z.object({ ok: z.literal(true), sessions: z.int() }),
    errors: ['invalid_request', 'unauthenticated', 'refused', 'not_found', 'conflict', 'rate_limited'],
  },
  addSignInKey: {
    method: 'POST',
    path: '/account/sign-in-keys',
    summary: 'One more key at a provider that signs you in, once the provider has said that it is good.',
    scope: 'session',
    body: z.strictObject({ provider: z.string().max(64), value: z.string().min(1).max(512) }),
    /** `shared`: somebody else here signs in with the same key, which signs in them alone. */
    answer: z.object({ key_id: z.int(), last4: z.string(), shared: z.boolean() }),
    errors: [
      'invalid_request',
      'unauthenticated',
      'refused',
      'not_found',
      'conflict',
      'provider_unavailable',
      'rate_limited',
    ],
  },
  removeSignInKey: {
    method: 'DELETE',
    path: '/account/sign-in-keys/:id',
    params: z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    summary: 'The key signs you in no more, and stays among the keys of providers.',
    scope: 'session',
    answer: z.object({ ok: z.literal(true) }),
    errors: ['unauthenticated', 'refused', 'not_found', 'conflict'],
  },
  makeAccessKey: {
    method: 'POST',
    path: '/account/access-keys',
    summary: 'A key for a program of yours, told once.',
    scope: 'session',
    body: z.strictObject({
      name: z.string().trim().min(1).max(64),
      scopes: z
        .array(z.enum(['account', 'keys', 'machines']))
        .min(1)
        .max(3),
    }),
    answer: accessKeyRow.extend({ key: z.string() }),
    errors: ['invalid_request', 'unauthenticated', 'refused', 'not_found', 'conflict'],
  },
  revokeAccessKey: {
    method: 'DELETE',
    path: '/account/access-keys/:id',
    summary: 'The key is nothing from now on.',
    scope: 'session',
    answer: z.object({ ok: z.literal(true) }),
    errors: ['unauthenticated', 'refused', 'not_found'],
  },
} as const satisfies Readonly<Record<string, Route>>
