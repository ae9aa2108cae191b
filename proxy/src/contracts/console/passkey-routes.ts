import { z } from 'zod'
import { approvalDecisionBody, assertionJson, passkeyLabel, registrationJson } from '../admin/index.ts'
import type { Route } from '../index.ts'
import { creationOptions, named } from './creation-options.ts'
import { sessionView } from './session-view.ts'

/** For `PublicKeyCredential.parseRequestOptionsFromJSON`. */
const requestOptions = z.object({
  challenge: z.string(),
  rpId: z.string(),
  timeout: z.int(),
  allowCredentials: z.array(named),
  userVerification: z.literal('required'),
})

const asserted = z.strictObject({ credential: assertionJson })

/**
 * Ceremonies of WebAuthn: first options with a challenge, good once, for two minutes and for this session; then what the authenticator
 * made of it. A part of CONSOLE_ROUTES. Whatever is wrong with an answer, the refusal is the same.
 */
export const PASSKEY_CEREMONIES = {
  passkeySignInOptions: {
    method: 'POST',
    path: '/passkeys/sign-in/options',
    summary: 'A challenge to sign in with; it names nobody’s passkeys.',
    scope: 'anyone',
    answer: requestOptions,
    errors: ['refused', 'rate_limited'],
  },
  signInByPasskey: {
    method: 'POST',
    path: '/passkeys/sign-in',
    summary: 'Sign in with a passkey; sets the cookie.',
    scope: 'anyone',
    body: asserted,
    answer: sessionView,
    errors: ['invalid_request', 'unauthenticated', 'rate_limited'],
  },
  passkeyRegistrationOptions: {
    method: 'POST',
    path: '/passkeys/register/options',
    summary: 'What to make a new passkey with; asks for a fresh proof of who you are.',
    scope: 'session',
    answer: creationOptions,
    errors: ['unauthenticated', 'refused'],
  },
  registerPasskey: {
    method: 'POST',
    path: '/passkeys/register',
    summary: 'Register a passkey that was made.',
    scope: 'session',
    body: z.strictObject({ label: passkeyLabel, credential: registrationJson }),
    answer: z.object({ id: z.string(), label: z.string() }),
    errors: ['invalid_request', 'unauthenticated', 'refused', 'conflict'],
  },
  stepUpOptions: {
    method: 'POST',
    path: '/passkeys/step-up/options',
    summary: 'A challenge to prove again who you are.',
    scope: 'session',
    answer: requestOptions,
    errors: ['unauthenticated', 'refused'],
  },
  stepUp: {
    method: 'POST',
    path: '/passkeys/step-up',
    summary: 'Prove again who you are, for the next ten minutes.',
    scope: 'session',
    body: asserted,
    answer: sessionView,
    errors: ['invalid_request', 'unauthenticated', 'refused'],
  },
  decisionOptions: {
    method: 'POST',
    path: '/passkeys/decision/options',
    summary:
      'A challenge that is derived from a decision; what is made of it goes as `proof` with just that decision.',
    scope: 'session',
    body: approvalDecisionBody
      .pick({ choice: true, consent_hash: true, terms: true })
      .extend({ approval: z.string().max(64) }),
    answer: requestOptions,
    errors: ['invalid_request', 'unauthenticated', 'not_found', 'refused'],
  },
} as const satisfies Readonly<Record<string, Route>>
export type PasskeyCeremonies = typeof PASSKEY_CEREMONIES
