import { z } from 'zod'
import type { ErrorCode } from '../../kernel/index.ts'
import type { DescribedRoute } from '../index.ts'
import { executeBody } from './execute-body.ts'
import { explanationView } from './explanation.ts'
import { executeQuery, listQuery, MAX_WAIT_SECONDS, waitQuery } from './queries.ts'
import { executionView, healthView, listView, secretsView } from './views.ts'

/** What every route that takes a token may refuse. */
export const ALWAYS_REFUSED = [
  'unauthenticated',
  'address_not_allowed',
  'rate_limited',
  'internal',
  'storage_unavailable',
] as const satisfies readonly ErrorCode[]

/** `execute`: with a token, counted as a request to run something; `read`: with a token; `open`: for everybody. */
type AgentScope = 'execute' | 'read' | 'open'

const idParams = z.object({ id: z.string().describe('A request_id of yours.') })
const PREFER = {
  name: 'Prefer',
  description: `\`wait=N\` (0–${MAX_WAIT_SECONDS} s) holds the answer until it is final; \`respond-async\` answers at once.`,
}
const execution = (description: string) => ({ 200: { description, schemas: [executionView] } })

const readExecution = {
  method: 'GET',
  summary: 'The state of one execution, with its result once it is final.',
  scope: 'read',
  action: 'execution.read',
  params: idParams,
  query: waitQuery,
  headers: [PREFER],
  answer: executionView,
  answers: execution('The execution.'),
  errors: ['invalid_request', 'not_found'],
} as const

/** The agents' API. `mcp` speaks JSON-RPC; what it does with it is in proxy/src/http/mcp. */
export const AGENT_ROUTES = {
  execute: {
    method: 'POST',
    path: '/execute',
    summary: 'Ask to run code with secrets.',
    scope: 'execute',
    action: 'execution.submit',
    query: executeQuery,
    headers: [
      PREFER,
      {
        name: 'Idempotency-Key',
        description: '1–128 visible ASCII characters. A repeat returns the first answer.',
      },
    ],
    body: executeBody,
    answer: z.union([executionView, explanationView]),
    answers: {
      200: {
        description:
          'Final: it was trusted and ran within the wait, or is a repeat of what is final. With `dry_run=1` an Explanation.',
        schemas: [executionView, explanationView],
      },
      202: {
        description: 'A person must answer, or the run has not ended within the wait.',
        schemas: [executionView],
        headers: {
          Location: 'Path of the execution.',
          'Preference-Applied': 'The preference that was honoured.',
        },
      },
    },
    errors: [
      'invalid_request',
      'code_hash_mismatch',
      'idempotency_conflict',
      'too_large',
      'unsupported_media_type',
      'unknown_runtime',
      'import_refused',
      'dynamic_code_refused',
      'skill_url_refused',
      'skill_unreachable',
      'sandbox_unavailable',
      'shutting_down',
    ],
  },
  listExecutions: {
    method: 'GET',
    path: '/execute',
    summary: 'Your own executions, newest first.',
    scope: 'read',
    action: 'execution.list',
    query: listQuery,
    answer: listView,
    answers: { 200: { description: 'One page.', schemas: [listView] } },
    errors: ['invalid_request'],
  },
  readExecution: { ...readExecution, path: '/execute/:id' },
  cancelExecution: {
    method: 'DELETE',
    path: '/execute/:id',
    summary: 'Cancel what has not started.',
    scope: 'read',
    action: 'execution.cancel',
    params: idParams,
    answer: executionView,
    answers: execution('The cancelled execution.'),
    errors: ['not_found', 'conflict'],
  },
  readExecutionStatus: { ...readExecution, path: '/execute/:id/status' },
  followExecution: {
    method: 'GET',
    path: '/execute/:id/events',
    summary:
      'Server-sent events, one a transition: event and id are the status, data an Execution. Ends when final: close it then, since some readers come back after a 204, too.',
    scope: 'read',
    action: 'execution.read',
    params: idParams,
    headers: [{ name: 'Last-Event-ID', description: 'The last status seen.' }],
    answer: z.string(),
    answers: {
      200: { description: 'The stream.', mediaType: 'text/event-stream', schemas: [z.string()] },
      204: { description: 'Last-Event-ID is the final state: nothing more will come.' },
    },
    errors: ['not_found'],
  },
  acknowledgeExecution: {
    method: 'POST',
    path: '/execute/:id/ack',
    summary: 'You have the result: no more reminders.',
    scope: 'read',
    action: 'execution.acknowledge',
    params: idParams,
    answer: executionView,
    answers: execution('The execution.'),
    errors: ['not_found', 'conflict'],
  },
  listSecrets: {
    method: 'GET',
    path: '/secrets',
    summary: 'Names and hosts of the stored secrets, never their values.',
    scope: 'read',
    action: 'secret.list',
    answer: secretsView,
    answers: { 200: { description: 'All that are stored.', schemas: [secretsView] } },
    errors: [],
  },
  health: {
    method: 'GET',
    path: '/health',
    summary: 'How the daemon is.',
    scope: 'open',
    answer: healthView,
    answers: {
      200: { description: 'It works, perhaps degraded.', schemas: [healthView] },
      503: { description: 'The database does not answer.', schemas: [healthView] },
    },
    errors: [],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics.',
    scope: 'open',
    answer: z.string(),
    answers: { 200: { description: 'The page.', mediaType: 'text/plain', schemas: [z.string()] } },
    errors: [],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description.',
    scope: 'open',
    answer: z.looseObject({}),
    answers: { 200: { description: 'OpenAPI 3.1.', schemas: [z.looseObject({})] } },
    errors: [],
  },
  mcp: {
    method: 'POST',
    path: '/mcp',
    summary:
      'Model Context Protocol over streamable HTTP; revisions 2026-07-28 and earlier; tools execute, explain, execution_status, list_secrets, list_requests, request_status.',
    scope: 'read',
    body: z.looseObject({}),
    answer: z.looseObject({}),
    answers: {
      200: { description: 'A JSON-RPC answer.', schemas: [z.looseObject({})] },
      202: { description: 'A notification was taken.' },
    },
    errors: ['invalid_request', 'too_large', 'unsupported_media_type'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute & { readonly scope: AgentScope }>>

export type AgentRoutes = typeof AGENT_ROUTES
