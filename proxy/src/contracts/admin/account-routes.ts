import { z } from 'zod'
import type { Route } from '../index.ts'

const link = z.object({
  id: z.string(),
  tenant: z.string(),
  /** Signs its holder in, once. */
  url: z.string(),
  expires_at: z.int(),
  /** Why a browser will not get there; null where nothing is in the way. */
  problem: z.string().nullable(),
})

export const accountRow = z.object({
  id: z.string(),
  /** Nobody has verified whose it is. */
  email: z.string().nullable(),
  name: z.string(),
  tenant: z.string(),
  has_password: z.boolean(),
  created_at: z.int(),
})
export type AccountRow = z.output<typeof accountRow>

const amount = z.int().min(0).max(1_000_000).nullable()
const quotaRow = z.object({
  name: z.string(),
  machines: z.int(),
  memory_mib: z.int(),
  /** What was said for it alone; null: as for all. */
  own: z.object({ machines: z.int().nullable(), memory_mib: z.int().nullable() }),
})
const quotas = z.object({
  /** How many may sign up. */
  tenants: z.int(),
  /** The tenant `default` holds for all others. */
  rows: z.array(quotaRow),
})

/** Whoever signed up, and what tenants may have: a part of ADMIN_ROUTES. */
export const ACCOUNT_ROUTES = {
  listAccounts: {
    method: 'GET',
    path: '/v1/accounts',
    summary: 'Who signed up or was invited, whichever tenant is theirs.',
    scope: 'owner',
    action: 'tenant.manage',
    answer: z.object({ mode: z.string(), accounts: z.array(accountRow) }),
    errors: [],
  },
  inviteAccount: {
    method: 'POST',
    path: '/v1/accounts',
    summary: 'Make an account, and a link that signs its person in, once, within a day. Nothing is mailed.',
    scope: 'owner',
    action: 'tenant.manage',
    body: z.strictObject({ email: z.string().min(3).max(254) }),
    answer: link,
    errors: ['invalid_request', 'conflict', 'refused'],
  },
  linkAccount: {
    method: 'POST',
    path: '/v1/accounts/:who/link',
    summary: 'A link for who has lost what signs them in: once, within an hour. By id or email address.',
    scope: 'owner',
    action: 'tenant.manage',
    answer: link,
    errors: ['not_found'],
  },
  readQuotas: {
    method: 'GET',
    path: '/v1/quotas',
    summary: 'What tenants may have.',
    scope: 'owner',
    action: 'tenant.manage',
    answer: quotas,
    errors: [],
  },
  setQuota: {
    method: 'PUT',
    path: '/v1/quotas/:name',
    summary:
      'Change what a tenant may have; of `default`: what all may, and how many may sign up. Null: as for all.',
    scope: 'owner',
    action: 'tenant.manage',
    body: z.strictObject({
      tenants: amount.optional(),
      machines: amount.optional(),
      memory_mib: amount.optional(),
    }),
    answer: quotas,
    errors: ['invalid_request', 'not_found'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
