/** The runner of prompts on a real engine, with the Messages API played at the wire. */

import { randomBytes } from 'node:crypto'
import { type ClaudeRunnerOptions, createClaudeRunner } from '../../src/claude-runs/container/index.ts'
import type {
  RunEvent,
  RunHooks,
  RunOrder,
  RunOutcome,
  RunRunner,
  ToolRequest,
  ToolVerdict,
} from '../../src/claude-runs/index.ts'
import { createSchemaChecker } from '../../src/claude-runs/schema/index.ts'
import { createTestEndpoints } from './egress-endpoints.ts'
import { createMessagesApi, type MessagesApi, type MessagesCall, type Reply } from './messages-api-double.ts'

interface Ran {
  readonly outcome: RunOutcome
  readonly events: readonly RunEvent[]
  readonly api: MessagesApi
  readonly asked: readonly ToolRequest[]
}

export interface RunPlan extends Partial<RunOrder> {
  readonly answer: (call: MessagesCall, at: number) => Reply | Promise<Reply>
  readonly onTool?: (request: ToolRequest, signal: AbortSignal) => Promise<ToolVerdict>
  readonly onEvent?: (event: RunEvent) => void
  readonly onStarted?: () => void
  readonly onOwnTool?: RunHooks['onOwnTool']
  readonly onToolAnswered?: RunHooks['onToolAnswered']
  readonly refusal?: RunHooks['model']['refusal']
  readonly signal?: AbortSignal
}

export interface ClaudeKit extends AsyncDisposable {
  /** Of the daemon that it plays. */
  readonly instance: string
  readonly runner: RunRunner
  readonly log: readonly string[]
  run(plan: RunPlan): Promise<Ran>
}

export const ORDER: RunOrder = {
  runId: 'run_test',
  prompt: 'Say hello.',
  model: 'sonnet',
  system: null,
  appendSystem: null,
  files: [],
  tools: [],
  schema: null,
  session: null,
  timeoutMs: 60_000,
  silenceMs: 30_000,
  maxTurns: null,
  maxOutputTokens: null,
  maxOutputBytes: 1_048_576,
  egress: null,
  asksForHosts: false,
}

export async function createClaudeKit(options: Partial<ClaudeRunnerOptions> = {}): Promise<ClaudeKit> {
  const endpoints = await createTestEndpoints()
  const schemas = createSchemaChecker()
  const instance = `claude-kit-${randomBytes(6).toString('hex')}`
  const log: string[] = []
  const runner = createClaudeRunner({
    instanceId: instance,
    endpoints,
    schemas,
    poolSize: 0,
    log: (message, error) => log.push(`${message}: ${String(error)}`),
    ...options,
  })
  return {
    runner,
    instance,
    log,
    async run({ answer, onTool, onOwnTool, onToolAnswered, onEvent, onStarted, refusal, signal, ...order }) {
      const api = createMessagesApi(answer)
      const events: RunEvent[] = []
      const asked: ToolRequest[] = []
      const hooks: RunHooks = {
        onStarted: () => onStarted?.(),
        onEvent: (event) => {
          events.push(event)
          onEvent?.(event)
        },
        onToolRequest: async (request, over) => {
          asked.push(request)
          return (await onTool?.(request, over)) ?? { behavior: 'deny', message: 'no tool in this test' }
        },
        onOwnTool: async (call, over) =>
          (await onOwnTool?.(call, over)) ?? { isError: true, text: 'no tool in this test' },
        onToolAnswered: (id) => onToolAnswered?.(id),
        model: { connection: (socket) => api.connection(socket), refusal: refusal ?? (() => null) },
      }
      try {
        const outcome = await runner.run(
          { ...ORDER, ...order },
          hooks,
          signal ?? new AbortController().signal,
        )
        return { outcome, events, api, asked }
      } finally {
        await api[Symbol.asyncDispose]()
      }
    },
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await schemas[Symbol.asyncDispose]()
      await endpoints[Symbol.asyncDispose]()
    },
  }
}
