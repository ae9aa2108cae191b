import { z } from 'zod'
import type { ErrorCode } from '../../kernel/index.ts'
import type { DescribedRoute } from '../index.ts'
import { RUN_ENDINGS } from './codes.ts'
import {
  fileList,
  fileToken,
  fileView,
  mintBody,
  mintedToken,
  okView,
  runBody,
  runView,
  serviceHealth,
  sessionList,
  tokenList,
} from './schemas.ts'

/** What every route that takes a token may refuse. */
export const ALWAYS_REFUSED = [
  'unauthenticated',
  'address_not_allowed',
  'refused',
  'rate_limited',
  'locked',
  'internal',
  'storage_unavailable',
] as const satisfies readonly ErrorCode[]

/** `run` and `files`: with a token of an app that has the scope; `admin`: with ADMIN_BOOTSTRAP_TOKEN; `open`: for whoever may call the port. */
export type ClaudeRunsScope = 'run' | 'files' | 'admin' | 'open'

const runParams = z.object({ id: z.string().describe('A run_id of yours.') })
const endings = (status: number): string =>
  Object.entries(RUN_ENDINGS)
    .filter(([, ending]) => ending.status === status)
    .map(([code, { help }]) => `\`${code}\`: ${help}`)
    .join(' ')
const failures = Object.fromEntries(
  [...new Set(Object.values(RUN_ENDINGS).map(({ status }) => status))]
    .filter((status) => status !== 200)
    .map((status) => [status, { description: endings(status), schemas: [runView] }]),
)
const STREAM = {
  description: 'With `stream`: the events.',
  mediaType: 'text/event-stream',
  schemas: [z.string()],
}

/** The port of apps: `claude -p` as a service. */
export const CLAUDE_RUNS_ROUTES = {
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether runs can be had, and the version of the CLI.',
    scope: 'open',
    answer: serviceHealth,
    errors: [],
  },
  submitRun: {
    method: 'POST',
    path: '/run',
    summary: 'Have a prompt run, and wait for its end.',
    scope: 'run',
    action: 'run.submit',
    headers: [
      {
        name: 'Idempotency-Key',
        description:
          '1–128 visible ASCII characters. A repeat is answered by the same run, which is not run again.',
      },
    ],
    body: runBody,
    answer: runView,
    answers: {
      200: { description: 'There is a result. With `stream`: server-sent events.', schemas: [runView] },
      202: {
        description: 'With `detach`: it waits or runs.',
        schemas: [runView],
        headers: { Location: 'Of the run.' },
      },
      ...failures,
    },
    errors: [
      'invalid_request',
      'not_found',
      'gone',
      'conflict',
      'idempotency_conflict',
      'too_large',
      'unsupported_media_type',
      'shutting_down',
    ],
  },
  readRun: {
    method: 'GET',
    path: '/run/:id',
    summary: 'A run of yours, with its result while that is kept.',
    scope: 'run',
    action: 'run.read',
    params: runParams,
    answer: runView,
    errors: ['not_found'],
  },
  cancelRun: {
    method: 'DELETE',
    path: '/run/:id',
    summary: 'End a run; answered when its container is gone. One that is over stays as it is.',
    scope: 'run',
    action: 'run.cancel',
    params: runParams,
    answer: runView,
    errors: ['not_found'],
  },
  followRun: {
    method: 'GET',
    path: '/run/:id/events',
    summary:
      'Server-sent events of a run, from behind Last-Event-ID on; the last one, `end`, is the run as GET tells it.',
    scope: 'run',
    action: 'run.read',
    params: runParams,
    headers: [{ name: 'Last-Event-ID', description: 'The id of the last event seen.' }],
    answer: z.string(),
    answers: { 200: STREAM, 204: { description: 'Last-Event-ID is `end`: nothing more will come.' } },
    errors: ['not_found'],
  },
  uploadFile: {
    method: 'POST',
    path: '/files',
    summary: 'Upload a file for runs: multipart/form-data with `file` and, by choice, `ttl_secs` (60–86400).',
    scope: 'files',
    action: 'file.upload',
    answer: fileView,
    errors: ['invalid_request', 'too_large', 'unsupported_media_type', 'shutting_down'],
  },
  listFiles: {
    method: 'GET',
    path: '/files',
    summary: 'Your files.',
    scope: 'files',
    action: 'file.upload',
    answer: fileList,
    errors: [],
  },
  removeFile: {
    method: 'DELETE',
    path: '/files/:id',
    summary: 'Remove a file.',
    scope: 'files',
    action: 'file.upload',
    params: z.object({ id: fileToken }),
    answer: okView,
    errors: ['invalid_request', 'not_found'],
  },
  listSessions: {
    method: 'GET',
    path: '/sessions',
    summary: 'Your conversations that runs may go on with, the last used first.',
    scope: 'run',
    action: 'run_session.list',
    answer: sessionList,
    errors: [],
  },
  removeSession: {
    method: 'DELETE',
    path: '/sessions/:id',
    summary: 'Forget a conversation.',
    scope: 'run',
    action: 'run_session.remove',
    params: z.object({ id: z.string() }),
    answer: okView,
    errors: ['not_found', 'conflict'],
  },
  mintToken: {
    method: 'POST',
    path: '/admin/tokens',
    summary: 'Make an app and its token.',
    scope: 'admin',
    action: 'app.manage',
    body: mintBody,
    answer: mintedToken,
    errors: ['invalid_request', 'conflict', 'too_large', 'unsupported_media_type'],
  },
  listTokens: {
    method: 'GET',
    path: '/admin/tokens',
    summary: 'Apps whose tokens are good.',
    scope: 'admin',
    action: 'app.list',
    answer: tokenList,
    errors: [],
  },
  revokeToken: {
    method: 'DELETE',
    path: '/admin/tokens/:name',
    summary: 'Revoke the token of an app; what it has waiting or running ends.',
    scope: 'admin',
    action: 'app.manage',
    answer: okView,
    errors: ['not_found'],
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description.',
    scope: 'open',
    answer: z.looseObject({}),
    errors: [],
  },
} as const satisfies Readonly<Record<string, DescribedRoute & { readonly scope: ClaudeRunsScope }>>
