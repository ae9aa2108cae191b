import { z } from 'zod'
import type { Route } from '../index.ts'

/** A chat of its own; left out or null: the tenant is asked on the daemon's machine alone. */
const chat = z.strictObject({
  token: z.string().max(200),
  chat_id: z.string().max(32),
  approver_ids: z.array(z.string().max(32)).max(50).default([]),
})
const addTenantBody = z.strictObject({ name: z.string().max(64), chat: chat.nullable().default(null) })
const tenantChatBody = z.strictObject({ chat: chat.nullable() })

const tenantView = z.object({
  id: z.string(),
  name: z.string(),
  chat_id: z.string().nullable(),
  /** Those that are not revoked. */
  agents: z.int(),
  created_at: z.int(),
  /** Why nothing of it works; null while it does. */
  problem: z.string().nullable(),
})
export type TenantView = z.output<typeof tenantView>

const memberView = z.object({
  channel: z.enum(['telegram', 'account']),
  /** Of Telegram the user id; of who signed up the id of their account. */
  person: z.string(),
  role: z.enum(['approver', 'owner']),
  since: z.int(),
})

/** What the owner of the host does to tenants; but for their members the same whichever tenant a call names. */
export const TENANT_ROUTES = {
  listTenants: {
    method: 'GET',
    path: '/v1/tenants',
    summary: 'The tenants, the default one first; never a token.',
    scope: 'owner',
    action: 'tenant.manage',
    answer: z.object({ tenants: z.array(tenantView) }),
    errors: [],
  },
  addTenant: {
    method: 'POST',
    path: '/v1/tenants',
    summary: 'Make a tenant: a vault, agents, approvals, an audit and keys of its own.',
    scope: 'owner',
    action: 'tenant.manage',
    body: addTenantBody,
    answer: tenantView,
    errors: ['invalid_request', 'conflict', 'locked'],
  },
  setTenantChat: {
    method: 'PUT',
    path: '/v1/tenants/:name/chat',
    summary: 'Give a tenant another chat, or none; what it has under way is given a moment, then begun anew.',
    scope: 'owner',
    action: 'tenant.manage',
    body: tenantChatBody,
    answer: tenantView,
    errors: ['invalid_request', 'not_found', 'conflict', 'refused', 'locked'],
  },
  listMembers: {
    method: 'GET',
    path: '/v1/members',
    summary: 'The persons who may decide for the tenant that the call names.',
    scope: 'owner',
    action: 'member.list',
    answer: z.object({ members: z.array(memberView) }),
    errors: [],
  },
  removeTenant: {
    method: 'DELETE',
    path: '/v1/tenants/:name',
    summary: 'Destroy its keys, and then delete all that it has.',
    scope: 'owner',
    action: 'tenant.manage',
    /** `finished`: false where rows are still being deleted. */
    answer: z.object({ name: z.string(), finished: z.boolean() }),
    errors: ['not_found', 'refused'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
