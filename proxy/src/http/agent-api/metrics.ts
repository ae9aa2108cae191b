import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DecisionKind } from '../../approvals/index.ts'
import { type ExecutionEvent, isFinal } from '../../executions/index.ts'
import type { ErrorCode } from '../../kernel/index.ts'

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
  readonly contentType: string
  page(): Promise<string>
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
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = <N extends keyof typeof METRICS>(name: N) =>
    new Counter<string>({
      name,
      help: METRICS[name].help,
      labelNames: METRICS[name].labels,
      registers: [registry],
    })
  const executions = counter('oauth3_executions_total')
  const decisions = counter('oauth3_decisions_total')
  const requests = counter('oauth3_http_requests_total')
  const refusals = counter('oauth3_refusals_total')
  const limits = counter('oauth3_rate_limited_total')
  const llmRefusals = counter('oauth3_llm_refusals_total')
  const claudeRuns = counter('oauth3_claude_runs_total')
  const durations = new Histogram({
    name: 'oauth3_run_duration_seconds',
    help: METRICS.oauth3_run_duration_seconds.help,
    labelNames: ['status'],
    buckets: RUN_SECONDS,
    registers: [registry],
  })
  const gauge = (name: keyof typeof METRICS, read: (() => number | Promise<number>) | undefined): void => {
    if (!read) return
    registry.removeSingleMetric(name)
    new Gauge({
      name,
      help: METRICS[name].help,
      registers: [registry],
      async collect() {
        this.set(await read())
      },
    })
  }
  /** What is counted elsewhere since the start, told as the counter it is. */
  const countedElsewhere = (
    name: keyof typeof METRICS,
    read: () => readonly (readonly [labels: Record<string, string>, value: number])[],
  ): void => {
    new Counter<string>({
      name,
      help: METRICS[name].help,
      labelNames: METRICS[name].labels,
      registers: [registry],
      collect() {
        this.reset()
        for (const [labels, value] of read()) this.inc(labels, value)
      },
    })
  }
  return {
    contentType: registry.contentType,
    page: () => registry.metrics(),
    watch(sources) {
      gauge('oauth3_executions_pending', sources.pending)
      gauge('oauth3_telegram_outbox_waiting', sources.telegramOutbox)
      gauge('oauth3_sandbox_warm', sources.warm)
      const { llm, claudeRuns: counts } = sources
      gauge('oauth3_claude_runs_running', counts && (() => counts().running))
      gauge('oauth3_claude_runs_waiting', counts && (() => counts().waiting))
      if (!llm) return
      countedElsewhere('oauth3_llm_requests_total', () =>
        llm().map(({ provider, requests }) => [{ provider }, requests]),
      )
      countedElsewhere('oauth3_llm_tokens_total', () =>
        llm().flatMap(({ provider, inputTokens, outputTokens }) => [
          [{ provider, direction: 'input' }, inputTokens],
          [{ provider, direction: 'output' }, outputTokens],
        ]),
      )
      countedElsewhere('oauth3_llm_cost_usd_total', () =>
        llm().map(({ provider, microUsd }) => [{ provider }, microUsd / 1_000_000]),
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
