import { z } from 'zod'
import { EXECUTION_STATES } from '../../domain/executions/index.ts'
import { ERROR_TABLE, type ErrorCode } from '../../kernel/index.ts'
import { explanationView } from './explain.ts'
import { MAX_LIMIT } from './paging.ts'
import { MAX_WAIT_SECONDS } from './prefer.ts'
import { executeBody } from './request-schema.ts'
import { secretsView } from './secrets.ts'
import { executionView, listView, summaryView } from './views.ts'

/** OpenAPI 3.1 from the very schemas that check requests and shape answers. */
const errorView = z.strictObject({
  error: z.strictObject({
    code: z.enum(Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    details: z.unknown().optional(),
  }),
})

const healthView = z.strictObject({
  status: z.enum(['ok', 'starting', 'degraded']),
  telegram: z.enum(['connected', 'disconnected', 'disabled']),
  database: z.enum(['ok', 'error']),
  disk: z.enum(['ok', 'low']).describe('Low: new requests are refused.'),
  sandbox: z.enum(['docker', 'embedded', 'unavailable']),
  version: z.string(),
  uptime_s: z.int(),
  notes: z.array(z.string()),
})

type JsonSchema = Record<string, unknown>
const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema
  return rest
}

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })
const json = (description: string, name: string | readonly string[], headers?: JsonSchema): JsonSchema => ({
  description,
  ...(headers ? { headers } : {}),
  content: {
    'application/json': { schema: typeof name === 'string' ? ref(name) : { anyOf: name.map(ref) } },
  },
})
const textHeader = (description: string): JsonSchema => ({ description, schema: { type: 'string' } })

/** One answer for each status; those that share a status are told together. */
function errors(...codes: ErrorCode[]): JsonSchema {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const { status } = ERROR_TABLE[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      String(status),
      json(
        those.map((code) => `\`${code}\`: ${ERROR_TABLE[code].help}`).join(' '),
        'Error',
        those.some((code) => ERROR_TABLE[code].retryable)
          ? { 'Retry-After': textHeader('Seconds to wait.') }
          : undefined,
      ),
    ]),
  )
}

const ALWAYS = [
  'unauthenticated',
  'address_not_allowed',
  'rate_limited',
  'internal',
  'storage_unavailable',
] as const
const idParameter = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'A request_id of yours.',
}
const waitSchema = { type: 'integer', minimum: 0, maximum: MAX_WAIT_SECONDS }
const waitParameter = {
  name: 'wait',
  in: 'query',
  schema: waitSchema,
  description: 'Seconds to hold the answer until the state is final.',
}
const header = (name: string, description: string): JsonSchema => ({
  name,
  in: 'header',
  schema: { type: 'string' },
  description,
})
const prefer = header(
  'Prefer',
  '`wait=N` (0–120 s) holds the answer until it is final; `respond-async` answers at once.',
)

const readOperation = (operationId: string): JsonSchema => ({
  operationId,
  summary: 'The state of one execution, with its result once it is final.',
  parameters: [idParameter, waitParameter, prefer],
  responses: {
    '200': json('The execution.', 'Execution'),
    ...errors('invalid_request', 'not_found', ...ALWAYS),
  },
})

function paths(): JsonSchema {
  return {
    '/execute': {
      post: {
        operationId: 'execute',
        summary: 'Ask to run code with secrets.',
        parameters: [
          prefer,
          header('Idempotency-Key', '1–128 visible ASCII characters. A repeat returns the first answer.'),
          {
            name: 'dry_run',
            in: 'query',
            schema: { type: 'string', enum: ['0', '1'] },
            description: '`1` answers with an Explanation: nobody is asked, nothing is stored, nothing runs.',
          },
        ],
        requestBody: { required: true, content: { 'application/json': { schema: ref('ExecuteRequest') } } },
        responses: {
          '200': json(
            'Final: it was trusted and ran within the wait, or is a repeat of what is final. With `dry_run=1` an Explanation.',
            ['Execution', 'Explanation'],
          ),
          '202': json('A person must answer, or the run has not ended within the wait.', 'Execution', {
            Location: textHeader('Path of the execution.'),
            'Preference-Applied': textHeader('The preference that was honoured.'),
          }),
          ...errors(
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
            ...ALWAYS,
          ),
        },
      },
      get: {
        operationId: 'listExecutions',
        summary: 'Your own executions, newest first.',
        parameters: [
          {
            name: 'status',
            in: 'query',
            schema: { type: 'string' },
            description: `Comma-separated: ${EXECUTION_STATES.join(', ')}.`,
          },
          {
            name: 'limit',
            in: 'query',
            schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: 20 },
          },
          {
            name: 'before',
            in: 'query',
            schema: { type: 'string' },
            description: 'The `next` of the page before.',
          },
        ],
        responses: { '200': json('One page.', 'ExecutionList'), ...errors('invalid_request', ...ALWAYS) },
      },
    },
    '/execute/{id}': {
      get: readOperation('readExecution'),
      delete: {
        operationId: 'cancelExecution',
        summary: 'Cancel what has not started.',
        parameters: [idParameter],
        responses: {
          '200': json('The cancelled execution.', 'Execution'),
          ...errors('not_found', 'conflict', ...ALWAYS),
        },
      },
    },
    '/execute/{id}/status': { get: readOperation('readExecutionStatus') },
    '/execute/{id}/events': {
      get: {
        operationId: 'followExecution',
        summary:
          'Server-sent events, one a transition: event and id are the status, data an Execution. Ends when final.',
        parameters: [idParameter, header('Last-Event-ID', 'The last status seen.')],
        responses: {
          '200': {
            description: 'The stream.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          '204': { description: 'Last-Event-ID is the final state: nothing more will come.' },
          ...errors('not_found', ...ALWAYS),
        },
      },
    },
    '/execute/{id}/ack': {
      post: {
        operationId: 'acknowledgeExecution',
        summary: 'You have the result: no more reminders.',
        parameters: [idParameter],
        responses: {
          '200': json('The execution.', 'Execution'),
          ...errors('not_found', 'conflict', ...ALWAYS),
        },
      },
    },
    '/secrets': {
      get: {
        operationId: 'listSecrets',
        summary: 'Names and hosts of the stored secrets, never their values.',
        responses: { '200': json('All that are stored.', 'SecretList'), ...errors(...ALWAYS) },
      },
    },
    '/health': {
      get: {
        operationId: 'health',
        summary: 'How the daemon is.',
        security: [],
        responses: {
          '200': json('It works, perhaps degraded.', 'Health'),
          '503': json('The database does not answer.', 'Health'),
        },
      },
    },
    '/metrics': {
      get: {
        operationId: 'metrics',
        summary: 'Prometheus metrics.',
        security: [],
        responses: {
          '200': { description: 'The page.', content: { 'text/plain': { schema: { type: 'string' } } } },
        },
      },
    },
    '/openapi.json': {
      get: {
        operationId: 'openapi',
        summary: 'This description.',
        security: [],
        responses: {
          '200': {
            description: 'OpenAPI 3.1.',
            content: { 'application/json': { schema: { type: 'object' } } },
          },
        },
      },
    },
    '/mcp': {
      post: {
        operationId: 'mcp',
        summary:
          'Model Context Protocol over streamable HTTP; revisions 2026-07-28 and earlier; tools execute, explain, execution_status, list_secrets.',
        requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
        responses: {
          '200': {
            description: 'A JSON-RPC answer.',
            content: { 'application/json': { schema: { type: 'object' } } },
          },
          '202': { description: 'A notification was taken.' },
          ...errors('invalid_request', 'too_large', 'unsupported_media_type', ...ALWAYS),
        },
      },
    },
  }
}

export function createOpenApi(version: string): JsonSchema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'OAuth3 agent API',
      version,
      description:
        'Ask a person to run code with secrets. Times are ISO 8601 in UTC, durations milliseconds.',
    },
    security: [{ agentToken: [] }],
    paths: paths(),
    components: {
      securitySchemes: { agentToken: { type: 'http', scheme: 'bearer', bearerFormat: 'oa3_…' } },
      schemas: {
        ExecuteRequest: schemaOf(executeBody, 'input'),
        Execution: schemaOf(executionView, 'output'),
        ExecutionSummary: schemaOf(summaryView, 'output'),
        ExecutionList: schemaOf(listView, 'output'),
        Explanation: schemaOf(explanationView, 'output'),
        SecretList: schemaOf(secretsView, 'output'),
        Health: schemaOf(healthView, 'output'),
        Error: schemaOf(errorView, 'output'),
      },
    },
  }
}
