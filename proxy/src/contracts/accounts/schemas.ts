import { z } from 'zod'

/** Secrets have a length, and no form that a schema's message could quote. */
const password = z.string().min(1).max(1_024)
const email = z.string().min(3).max(254)
const providerKey = z.string().min(1).max(512)
const provider = z.string().regex(/^[a-z0-9-]{1,64}$/, 'is no name of a provider')

export const signUpBody = z.strictObject({
  email,
  password,
  name: z.string().trim().min(1).max(64).optional(),
})

/** By email and password, or by a key at a provider, which is Poe's where none is named. */
export const logInBody = z.union([
  z.strictObject({ email, password }),
  z.strictObject({ apiKey: providerKey, provider: provider.default('poe') }),
  z.strictObject({ api_key: providerKey, provider: provider.default('poe') }),
])

export const refreshBody = z.strictObject({ refresh_token: z.string().min(1).max(256) })
export const logOutBody = z.strictObject({ refresh_token: z.string().min(1).max(256).optional() }).default({})

export const userView = z.object({
  id: z.string(),
  email: z.string().nullable(),
  name: z.string(),
  tenant: z.string(),
  /** ISO 8601, in UTC. */
  created_at: z.string(),
})

const tokens = {
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('bearer'),
  /** Seconds. */
  expires_in: z.int(),
}
export const tokensView = z.object({ ...tokens, user: userView })

/** What PoeClaw's page reads beside the tokens. */
const session = {
  userHash: z.string(),
  keyLast4: z.string().nullable(),
  models: z.array(z.string()),
}
export const logInView = tokensView.extend({ ok: z.literal(true), ...session })
export const meView = userView.extend({ authenticated: z.literal(true), ...session })

export const putKeyBody = z.strictObject({ api_key: providerKey })
export const storeKeyBody = z.strictObject({ provider, api_key: providerKey })
export const keyView = z.object({
  provider: z.string(),
  /** Of the key; null where it was not kept. */
  last4: z.string().nullable(),
  created_at: z.string(),
  /** Whether it signs the account in. */
  signs_in: z.boolean(),
})
export const storedKeyView = keyView.extend({
  /** Somebody else here signs in with the same key. */
  shared: z.boolean(),
})
export const keyList = z.object({ api_keys: z.array(keyView), providers: z.array(z.string()) })
export const okView = z.object({ ok: z.literal(true) })
