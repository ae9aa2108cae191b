import type { ErrorCode } from '../../kernel/index.ts'
import type { DescribedRoute } from '../index.ts'
import { INSTANCE_BOT_ROUTES } from './bot-routes.ts'
import { DEBUG_ROUTES } from './debug-routes.ts'
import { INSTANCE_ROUTES } from './instance-routes.ts'
import {
  keyList,
  logInBody,
  logInView,
  logOutBody,
  meView,
  okView,
  putKeyBody,
  refreshBody,
  signUpBody,
  storedKeyView,
  storeKeyBody,
  tokensView,
} from './schemas.ts'

/** What every route may refuse. */
export const ALWAYS_REFUSED = [
  'unauthenticated',
  'origin_not_allowed',
  'rate_limited',
  'refused',
  'internal',
  'storage_unavailable',
] as const satisfies readonly ErrorCode[]

/**
 * Whom a route answers. `anyone`: nobody is asked for · `signed_in`: with an access token, an access key of that scope, or the console's
 * cookie from its own origin.
 */
export type AccountScope = 'anyone' | 'account' | 'keys' | 'machines'

const KEY_ERRORS = ['invalid_request', 'provider_unavailable', 'conflict'] as const

/** The API of accounts, with the shapes of CloudBot's and PoeClaw's clients. */
export const ACCOUNT_ROUTES = {
  signUp: {
    method: 'POST',
    path: '/api/auth/signup',
    summary: 'Make an account with a tenant of its own, where sign-up by password is open.',
    scope: 'anyone',
    body: signUpBody,
    answer: tokensView,
    errors: ['invalid_request', 'conflict'],
  },
  logIn: {
    method: 'POST',
    path: '/api/auth/login',
    summary:
      "Sign in by email and password, or by a key at a provider, which a call to the provider checks; tokens, and the console's cookie.",
    scope: 'anyone',
    body: logInBody,
    answer: logInView,
    errors: ['invalid_request', 'provider_unavailable'],
  },
  refresh: {
    method: 'POST',
    path: '/api/auth/refresh',
    summary: 'New tokens for a refresh token, which is good once: used again, it ends the session.',
    scope: 'anyone',
    body: refreshBody,
    answer: tokensView,
    errors: ['invalid_request'],
  },
  me: {
    method: 'GET',
    path: '/api/auth/me',
    summary: 'Who is signed in.',
    scope: 'account',
    action: 'account.read',
    answer: meView,
    errors: [],
  },
  logOut: {
    method: 'POST',
    path: '/api/auth/logout',
    summary:
      'End the session of the token that is sent, in the header or as a refresh token: all its tokens and its cookie.',
    scope: 'anyone',
    body: logOutBody,
    answer: okView,
    errors: [],
  },
  listKeys: {
    method: 'GET',
    path: '/api/user/api-keys',
    summary: 'Providers that the account has keys of; never a key.',
    scope: 'keys',
    action: 'user_key.list',
    answer: keyList,
    errors: [],
  },
  storeKey: {
    method: 'POST',
    path: '/api/user/api-keys',
    summary: 'Store a key, sealed; in the place of the one that the account had of this provider.',
    scope: 'keys',
    action: 'user_key.write',
    body: storeKeyBody,
    answer: storedKeyView,
    errors: KEY_ERRORS,
  },
  replaceKey: {
    method: 'PUT',
    path: '/api/user/api-keys/:provider',
    summary: 'Replace the key of a provider; the next call to it uses the new one. Data stays.',
    scope: 'keys',
    action: 'user_key.write',
    body: putKeyBody,
    answer: storedKeyView,
    errors: [...KEY_ERRORS, 'not_found'],
  },
  removeKey: {
    method: 'DELETE',
    path: '/api/user/api-keys/:provider',
    summary: 'Remove the key of a provider; refused for the last thing that signs the account in.',
    scope: 'keys',
    action: 'user_key.write',
    answer: okView,
    errors: ['not_found', 'conflict'],
  },
  ...INSTANCE_ROUTES,
  ...INSTANCE_BOT_ROUTES,
  ...DEBUG_ROUTES,
} as const satisfies Readonly<Record<string, DescribedRoute & { readonly scope: AccountScope }>>
export type AccountRoutes = typeof ACCOUNT_ROUTES
