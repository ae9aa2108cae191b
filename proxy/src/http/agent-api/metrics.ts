import type { DecisionKind } from '../../approvals/index.ts'
import { type ExecutionEvent, isFinal } from '../../executions/index.ts'
import type { ErrorCode } from '../../kernel/index.ts'
import { createCounts, createDurations, type Sample } from './counts.ts'

/**
 * What `GET /metrics` tells, beside the process's own numbers. No label names an agent, a skill or a secret: the page
 * is open to whoever reaches the port. docs/reference/metrics.md is generated from this table.
 */
export const METRICS = {
  oauth3_executions_total: {
    kind: 'counter',
    labels: ['status'],
    help: 'Executions that entered this status.',
  },
  oauth3_decisions_total: { kind: 'counter', labels: ['decision'], help: 'Answers that persons gave.' },
  oauth3_run_duration_seconds: {
    kind: 'histogram',
    labels: ['status'],
    help: 'How long finished runs took.',
  },
  oauth3_executions_pending: { kind: 'gauge', labels: [], help: 'Executions that wait for a person.' },
  oauth3_http_requests_total: {
    kind: 'counter',
    labels: ['method', 'route', 'status'],
    help: 'HTTP answers.',
  },
  oauth3_refusals_total: { kind: 'counter', labels: ['code'], help: 'Requests refused, by error code.' },
  oauth3_rate_limited_total: {
    kind: 'counter',
    labels: ['limit'],
    help: 'Requests over a limit: execute, read, wait, authentication, sign_in, sign_up or account.',
  },
  oauth3_telegram_outbox_waiting: {
    kind: 'gauge',
    labels: [],
    help: 'Telegram messages that wait to be sent.',
  },
  oauth3_llm_requests_total: {
    kind: 'counter',
    labels: ['provider'],
    help: 'Requests that went to a provider of LLMs, since the start.',
  },
  oauth3_llm_tokens_total: {
    kind: 'counter',
    labels: ['provider', 'direction'],
    help: 'Tokens that providers told of: input and output.',
  },
  oauth3_llm_cost_usd_total: {
    kind: 'counter',
    labels: ['provider'],
    help: 'What they cost in US dollars, where a price is known.',
  },
  oauth3_llm_refusals_total: {
    kind: 'counter',
    labels: ['code'],
    help: 'Requests to providers that the daemon refused, by its error code.',
  },
  oauth3_claude_runs_total: {
    kind: 'counter',
    labels: ['code'],
    help: 'Runs of `claude -p` for apps that ended, by how they did.',
  },
  oauth3_claude_runs_running: { kind: 'gauge', labels: [], help: 'Such runs that go on.' },
  oauth3_claude_runs_waiting: { kind: 'gauge', labels: [], help: 'Such runs that wait for a place.' },
  oauth3_sandbox_warm: { kind: 'gauge', labels: [], help: 'Warm sandboxes that wait for a run.' },
} as const

/** Numbers that live elsewhere and are read when the page is asked for. */
interface MetricSources {
  readonly pending?: () => number | Promise<number>
  readonly telegramOutbox?: () => number | Promise<number>
  readonly warm?: () => number | Promise<number>
  readonly claudeRuns?: () => { readonly running: number; readonly waiting: number }
  readonly llm?: () => readonly LlmTotal[]
}

interface LlmTotal {
  readonly provider: string
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly microUsd: number
}

export type LimitName = 'execute' | 'read' | 'wait' | 'authentication' | 'sign_in' | 'sign_up' | 'account'

export interface Metrics {
  page(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Where the gauges read from; until then they are left out. */
  watch(sources: MetricSources): void
  decided(decision: DecisionKind): void
  transition(status: string): void
  ran(status: string, seconds: number): void
  answered(method: string, route: string, status: string): void
  refused(code: ErrorCode): void
  limited(limit: LimitName): void
  /** How a run of an app ended. */
  claudeRan(code: string): void
  /** A code of the LLM proxy's. */
  llmRefused(code: string): void
}

const RUN_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

export function createMetrics(): Metrics {
  const executions = createCounts()
  const decisions = createCounts()
  const requests = createCounts()
  const refusals = createCounts()
  const limits = createCounts()
  const llmRefusals = createCounts()
  const claudeRuns = createCounts()
  const durations = createDurations('oauth3_run_duration_seconds', RUN_SECONDS)
  /** By the name of its metric, what is read when the page is asked for. */
  const read = new Map<keyof typeof METRICS, () => Sample[] | Promise<Sample[]>>([
    ['oauth3_executions_total', executions.samples],
    ['oauth3_decisions_total', decisions.samples],
    ['oauth3_http_requests_total', requests.samples],
    ['oauth3_refusals_total', refusals.samples],
    ['oauth3_rate_limited_total', limits.samples],
    ['oauth3_llm_refusals_total', llmRefusals.samples],
    ['oauth3_claude_runs_total', claudeRuns.samples],
    ['oauth3_run_duration_seconds', durations.samples],
  ])
  const gauge = (name: keyof typeof METRICS, now: (() => number | Promise<number>) | undefined): void => {
    if (now) read.set(name, async () => [{ labels: {}, value: await now() }])
  }
  let library: ReturnType<typeof loadLibrary> | undefined
  return {
    async page() {
      library ??= loadLibrary()
      const { contentType, render } = await library
      const told = [...read].map(async ([name, samples]) => ({
        ...{ name, help: METRICS[name].help, type: METRICS[name].kind, aggregator: 'sum' },
        values: await samples(),
      }))
      return { contentType, text: await render(await Promise.all(told)) }
    },
    watch({ pending, telegramOutbox, warm, claudeRuns: runs, llm }) {
      gauge('oauth3_executions_pending', pending)
      gauge('oauth3_telegram_outbox_waiting', telegramOutbox)
      gauge('oauth3_sandbox_warm', warm)
      gauge('oauth3_claude_runs_running', runs && (() => runs().running))
      gauge('oauth3_claude_runs_waiting', runs && (() => runs().waiting))
      if (!llm) return
      read.set('oauth3_llm_requests_total', () =>
        llm().map(({ provider, requests: value }) => ({ labels: { provider }, value })),
      )
      read.set('oauth3_llm_tokens_total', () =>
        llm().flatMap(({ provider, inputTokens, outputTokens }) => [
          { labels: { provider, direction: 'input' }, value: inputTokens },
          { labels: { provider, direction: 'output' }, value: outputTokens },
        ]),
      )
      read.set('oauth3_llm_cost_usd_total', () =>
        llm().map(({ provider, microUsd }) => ({ labels: { provider }, value: microUsd / 1_000_000 })),
      )
    },
    decided: (decision) => decisions.inc({ decision }),
    transition: (status) => executions.inc({ status }),
    ran: (status, seconds) => durations.observe({ status }, seconds),
    answered: (method, route, status) => requests.inc({ method, route, status }),
    refused: (code) => refusals.inc({ code }),
    limited: (limit) => limits.inc({ limit }),
    claudeRan: (code) => claudeRuns.inc({ code }),
    llmRefused: (code) => llmRefusals.inc({ code }),
  }
}

/**
 * What writes the page. It takes a tenth of the start, so it is loaded when somebody asks first; the process's own numbers that have to be
 * watched (delays of the event loop, collections) begin then.
 */
async function loadLibrary() {
  const { AggregatorRegistry, collectDefaultMetrics, Registry } = await import('prom-client')
  const ofProcess = new Registry()
  collectDefaultMetrics({ register: ofProcess })
  return {
    contentType: ofProcess.contentType,
    render: async (ours: readonly object[]): Promise<string> =>
      `${await ofProcess.metrics()}\n${await AggregatorRegistry.aggregate([ours]).metrics()}`,
  }
}

/** Counts every transition. It is told inside the transaction, so one that is rolled back counts too. */
export function countTransition(metrics: Metrics, { execution, from }: ExecutionEvent): void {
  metrics.transition(execution.status)
  // `awaiting_secrets → approved` goes on by itself; every other one of these is a person's answer.
  const answered = (from === 'pending' && execution.status === 'approved') || execution.status === 'denied'
  if (answered && execution.decision !== null) metrics.decided(execution.decision)
  if (isFinal(execution.status) && execution.durationMs !== null) {
    metrics.ran(execution.status, execution.durationMs / 1_000)
  }
}
