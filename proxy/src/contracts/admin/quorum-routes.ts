import { z } from 'zod'
import type { Route } from '../index.ts'

/** More persons than any rule asks for. */
const MAX_APPROVALS = 50

const scope = z.enum(['secret', 'agent', 'app', 'tag'])
const ruleView = z.object({
  scope,
  /** A secret, an agent or a tag of agents, by its name. */
  name: z.string(),
  /** How many persons have to approve what the rule covers. */
  approvals: z.int(),
  /** False: there are not so many, and nobody can say yes. */
  reachable: z.boolean(),
})
/** Which approver the owner of the host is: a Telegram user id, `separate` for none of them, `unknown` while nobody has said. */
const OWNER_FORM = 'takes a user id in Telegram, separate, or unknown'
const owner = z.union(
  [z.enum(['separate', 'unknown']), z.string().regex(/^[0-9]{1,20}$/, OWNER_FORM)],
  OWNER_FORM,
)

const quorumList = z.object({
  rules: z.array(ruleView),
  owner: z.string(),
  /** How many persons may decide, of whom it is certain that they are so many. */
  deciders: z.int(),
})
export type QuorumList = z.infer<typeof quorumList>

/** How many have to approve what: a part of ADMIN_ROUTES. */
export const QUORUM_ROUTES = {
  listQuorum: {
    method: 'GET',
    path: '/v1/quorum',
    summary: 'How many persons have to approve what, and how many there are.',
    scope: 'owner',
    action: 'quorum.list',
    answer: quorumList,
    errors: [],
  },
  setQuorum: {
    method: 'PUT',
    path: '/v1/quorum/rules',
    summary:
      'Say how many persons have to approve what a secret, an agent or a tag covers; 1 removes the rule.',
    scope: 'owner',
    action: 'quorum.manage',
    body: z.strictObject({
      scope,
      name: z.string().min(1).max(128),
      approvals: z.int().min(1).max(MAX_APPROVALS),
    }),
    answer: quorumList,
    errors: ['invalid_request', 'not_found', 'conflict'],
  },
  setQuorumOwner: {
    method: 'PUT',
    path: '/v1/quorum/owner',
    summary: 'Say which of the approvers the owner of the host is, so that one person never counts as two.',
    scope: 'owner',
    action: 'quorum.manage',
    body: z.strictObject({ owner }),
    answer: quorumList,
    errors: ['invalid_request', 'conflict'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
