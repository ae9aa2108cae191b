import { z } from 'zod'
import type { Route } from '../index.ts'
import { ACCOUNT_ROUTES } from './account-routes.ts'
import { APPROVAL_ROUTES } from './approval-routes.ts'
import {
  archiveAnswer,
  archiveBody,
  archiveList,
  auditList,
  auditQuery,
  auditRowView,
  auditVerdict,
} from './audit-schemas.ts'
import { CLAUDE_RUN_OWNER_ROUTES } from './claude-run-routes.ts'
import { HOST_ROUTES } from './host-routes.ts'
import { LLM_ROUTES } from './llm-routes.ts'
import { LOCKDOWN_ROUTES } from './lockdown-routes.ts'
import { PASSKEY_ROUTES } from './passkey-routes.ts'
import { PUSH_ROUTES } from './push-routes.ts'
import { QUORUM_ROUTES } from './quorum-routes.ts'
import { RECEIPT_ROUTES } from './receipt-routes.ts'
import { REGISTRY_ROUTES } from './registry-routes.ts'
import {
  addAgentBody,
  addedAgent,
  agentList,
  agentTagsBody,
  agentView,
  decisionBody,
  doctorReport,
  explainBody,
  explanationView,
  flag,
  grantList,
  grantsQuery,
  grantUsesQuery,
  grantUsesView,
  numberParams,
  okBody,
  pruneAnswer,
  pruneBody,
  putSecretBody,
  renameSecretBody,
  requestList,
  requestView,
  revokedGrantView,
  riskBody,
  rotateAgentBody,
  rotatedKeys,
  rotateKeysBody,
  secretList,
  secretView,
  statusView,
} from './schemas.ts'
import { SESSION_ROUTES } from './session-routes.ts'
import { TENANT_ROUTES } from './tenant-routes.ts'

type AddAgent = z.output<typeof addAgentBody>
type RotateKeys = z.output<typeof rotateKeysBody>

/** 1 MiB of code, every character of it escaped. */
const MAX_CODE_BODY_BYTES = 8 * 1_048_576

/**
 * The owner's API on the admin socket. Whoever may open the socket is the owner, so there is one scope; `action` says which
 * permission a route takes, since other channels have other callers. Every route may
 * answer `starting`, `internal` and `storage_unavailable` beside its own errors.
 */
export const ADMIN_ROUTES = {
  readStatus: {
    method: 'GET',
    path: '/v1/status',
    summary: 'How the daemon is, and how much waits for the owner.',
    scope: 'owner',
    action: 'daemon.read',
    answer: statusView,
    errors: [],
  },

  listSecrets: {
    method: 'GET',
    path: '/v1/secrets',
    summary: 'Names, versions and hosts of the stored secrets; never values.',
    scope: 'owner',
    action: 'secret.list',
    answer: secretList,
    errors: [],
  },
  putSecret: {
    method: 'PUT',
    path: '/v1/secrets/:name',
    summary: 'Store a secret, or replace its value.',
    scope: 'owner',
    action: 'secret.write',
    body: putSecretBody,
    answer: secretView,
    errors: ['invalid_request', 'too_large', 'conflict', 'locked'],
  },
  setSecretRisk: {
    method: 'PUT',
    path: '/v1/secrets/:name/risk',
    summary: 'Say of which risk a secret is; a name keeps it, whatever value is stored under it later.',
    scope: 'owner',
    action: 'secret.set_risk',
    body: riskBody,
    answer: secretView,
    errors: ['invalid_request', 'not_found'],
  },
  removeSecret: {
    method: 'DELETE',
    path: '/v1/secrets/:name',
    summary: 'Forget a secret; a new value under its name keeps its hosts.',
    scope: 'owner',
    action: 'secret.remove',
    answer: okBody,
    errors: ['not_found'],
  },
  renameSecret: {
    method: 'POST',
    path: '/v1/secrets/:name/rename',
    summary: 'Give a secret another name.',
    scope: 'owner',
    action: 'secret.write',
    body: renameSecretBody,
    answer: secretView,
    errors: ['invalid_request', 'not_found', 'conflict', 'locked'],
  },

  listAgents: {
    method: 'GET',
    path: '/v1/agents',
    summary: 'Agents, revoked ones among them.',
    scope: 'owner',
    action: 'agent.list',
    answer: agentList,
    errors: [],
  },
  addAgent: {
    method: 'POST',
    path: '/v1/agents',
    summary: 'Make an agent; its token is in this answer and nowhere else.',
    scope: 'owner',
    action: 'agent.manage',
    // Wakes start a program or go wherever they are aimed, past what guards the ways out of agents.
    alsoTakes: { action: 'host.reach', when: ({ body }: { body: AddAgent }) => body.wake !== undefined },
    body: addAgentBody,
    answer: addedAgent,
    errors: ['invalid_request', 'conflict', 'locked'],
  },
  setAgentTags: {
    method: 'PUT',
    path: '/v1/agents/:name/tags',
    summary: "Replace an agent's tags.",
    scope: 'owner',
    action: 'agent.manage',
    body: agentTagsBody,
    answer: agentView,
    errors: ['invalid_request', 'not_found'],
  },
  rotateAgentToken: {
    method: 'POST',
    path: '/v1/agents/:name/token',
    summary: 'A new token for an agent; the old one is refused at once, or after an overlap.',
    scope: 'owner',
    action: 'agent.manage',
    body: rotateAgentBody,
    answer: addedAgent,
    errors: ['invalid_request', 'not_found'],
  },
  revokeAgent: {
    method: 'DELETE',
    path: '/v1/agents/:name',
    summary: "End an agent's token, and what it has under way, at once.",
    scope: 'owner',
    action: 'agent.manage',
    answer: okBody,
    errors: ['not_found'],
  },

  listRequests: {
    method: 'GET',
    path: '/v1/requests',
    summary: 'Requests that wait for the owner; with `all=1` the newest, whatever their state.',
    scope: 'owner',
    action: 'execution.list',
    query: z.strictObject({ all: flag.optional() }),
    answer: requestList,
    errors: ['invalid_request'],
  },
  explain: {
    method: 'POST',
    path: '/v1/explain',
    summary: 'The card that a program would lead to. Nothing is run, stored or asked.',
    scope: 'owner',
    action: 'execution.explain',
    body: explainBody,
    maxBodyBytes: MAX_CODE_BODY_BYTES,
    answer: explanationView,
    errors: ['invalid_request', 'too_large', 'unknown_runtime', 'import_refused', 'dynamic_code_refused'],
  },
  readRequest: {
    method: 'GET',
    path: '/v1/requests/:id',
    summary: 'A request by its id or the beginning of it, with its card and its result.',
    scope: 'owner',
    action: 'execution.read',
    answer: requestView,
    errors: ['invalid_request', 'not_found'],
  },
  decideRequest: {
    method: 'POST',
    path: '/v1/requests/:id/decision',
    summary: 'Approve or deny a request, by the hash of the consent that the person was shown.',
    scope: 'owner',
    action: 'approval.decide',
    body: decisionBody,
    answer: requestView,
    errors: ['invalid_request', 'not_found', 'refused'],
  },

  stopRequest: {
    method: 'POST',
    path: '/v1/requests/:id/stop',
    summary: 'Stop code that was approved, under way or about to begin; answered when its run is over.',
    scope: 'owner',
    action: 'execution.stop',
    answer: requestView,
    errors: ['invalid_request', 'not_found', 'conflict'],
  },

  ...APPROVAL_ROUTES,

  listTrust: {
    method: 'GET',
    path: '/v1/trust',
    summary: 'What runs without asking; with `all=1` the newest grants, ended ones among them.',
    scope: 'owner',
    action: 'grant.list',
    query: grantsQuery,
    answer: grantList,
    errors: ['invalid_request'],
  },
  readTrust: {
    method: 'GET',
    path: '/v1/trust/:id',
    summary: 'A grant, whatever became of it, with the requests that it covered, newest first.',
    scope: 'owner',
    action: 'grant.list',
    params: numberParams,
    query: grantUsesQuery,
    answer: grantUsesView,
    errors: ['invalid_request', 'not_found'],
  },
  revokeTrust: {
    method: 'DELETE',
    path: '/v1/trust/:id',
    summary: 'End a grant; the code is asked about again.',
    scope: 'owner',
    action: 'grant.revoke',
    params: numberParams,
    answer: revokedGrantView,
    errors: ['invalid_request', 'not_found'],
  },

  searchAudit: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'The newest events that fit, newest first.',
    scope: 'owner',
    action: 'audit.read',
    query: auditQuery,
    answer: auditList,
    errors: ['invalid_request', 'not_found'],
  },
  exportAudit: {
    method: 'GET',
    path: '/v1/audit/export',
    summary: 'Every event that is in no archive, oldest first.',
    scope: 'owner',
    action: 'audit.export',
    answer: auditRowView,
    isLines: true,
    errors: [],
  },
  verifyAudit: {
    method: 'GET',
    path: '/v1/audit/verify',
    summary:
      'Checks the hash chain, its seal and (unless `archives=0`) the archives, from the first row or (`incremental=1`) from where an earlier check ended.',
    scope: 'owner',
    action: 'audit.read',
    query: z.strictObject({ archives: flag.optional(), incremental: flag.optional() }),
    answer: auditVerdict,
    errors: ['invalid_request'],
  },
  listAuditArchives: {
    method: 'GET',
    path: '/v1/audit/archives',
    summary: 'The sealed files, and which rows are in them.',
    scope: 'owner',
    action: 'archive.list',
    answer: archiveList,
    errors: [],
  },
  archiveAudit: {
    method: 'POST',
    path: '/v1/audit/archive',
    summary: 'Move the oldest events into sealed files.',
    scope: 'owner',
    action: 'audit.archive',
    body: archiveBody,
    answer: archiveAnswer,
    errors: ['invalid_request', 'conflict'],
  },

  prune: {
    method: 'POST',
    path: '/v1/prune',
    summary: 'Drop output, code and requests that are over; with `dry_run` only say what would go.',
    scope: 'owner',
    action: 'storage.prune',
    body: pruneBody,
    answer: pruneAnswer,
    errors: ['invalid_request'],
  },
  rotateKeys: {
    method: 'POST',
    path: '/v1/keys/rotate',
    summary: 'Replace the data key, or the master key.',
    scope: 'owner',
    action: 'key.rotate',
    alsoTakes: {
      action: 'master_key.rotate',
      when: ({ body }: { body: RotateKeys }) => body.what === 'master',
    },
    body: rotateKeysBody,
    answer: rotatedKeys,
    errors: ['invalid_request', 'conflict', 'locked'],
  },
  runDoctor: {
    method: 'POST',
    path: '/v1/doctor',
    summary: 'Tries every part for real and says what came back.',
    scope: 'owner',
    action: 'daemon.diagnose',
    answer: doctorReport,
    errors: [],
  },

  ...LOCKDOWN_ROUTES,
  ...PUSH_ROUTES,
  ...RECEIPT_ROUTES,
  ...LLM_ROUTES,
  ...PASSKEY_ROUTES,
  ...SESSION_ROUTES,
  ...QUORUM_ROUTES,
  ...TENANT_ROUTES,
  ...ACCOUNT_ROUTES,
  ...REGISTRY_ROUTES,
  ...CLAUDE_RUN_OWNER_ROUTES,
  ...HOST_ROUTES,
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>

export type AdminRoutes = typeof ADMIN_ROUTES
