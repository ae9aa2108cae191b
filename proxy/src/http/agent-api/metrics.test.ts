import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createMetrics, METRICS } from './metrics.ts'

test('the page is what the library writes of the same events', async () => {
  const metrics = createMetrics()
  const register = new Registry()
  const ofLibrary = (name: keyof typeof METRICS) => ({
    ...{ name, help: METRICS[name].help, labelNames: METRICS[name].labels, registers: [register] },
  })
  const requests = new Counter(ofLibrary('oauth3_http_requests_total'))
  const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
  const durations = new Histogram({ ...ofLibrary('oauth3_run_duration_seconds'), buckets })
  for (const [method, route, status] of [
    ['GET', '/a"b\\', '200'],
    ['GET', '/a"b\\', '404'],
    ['GET', '/a"b\\', '200'],
  ] as const) {
    metrics.answered(method, route, status)
    requests.inc({ method, route, status })
  }
  for (const seconds of [0, 0.01, 0.010001, 7, 600, 601, 1e6]) {
    for (const status of ['success', 'failed']) {
      metrics.ran(status, seconds)
      durations.observe({ status }, seconds)
    }
  }
  const { text, contentType } = await metrics.page()
  expect(contentType).toBe(register.contentType)
  for (const part of (await register.metrics()).trim().split('\n\n')) expect(text).toContain(`${part}\n`)
  expect(text).toContain('process_cpu_user_seconds_total ')
})

test('what lives elsewhere is read for each page, and is left out until it is known where', async () => {
  const metrics = createMetrics()
  expect((await metrics.page()).text).not.toContain('oauth3_executions_pending')
  let pending = 3
  const llm = [{ provider: 'openai', requests: 2, inputTokens: 30, outputTokens: 4, microUsd: 1_500_000 }]
  metrics.watch({ pending: async () => pending, llm: () => llm })
  pending = 4
  const { text } = await metrics.page()
  for (const line of [
    'oauth3_executions_pending 4',
    'oauth3_llm_requests_total{provider="openai"} 2',
    'oauth3_llm_tokens_total{provider="openai",direction="output"} 4',
    'oauth3_llm_cost_usd_total{provider="openai"} 1.5',
  ])
    expect(text.split('\n')).toContain(line)
  expect(text).not.toContain('oauth3_sandbox_warm')
})
