import type { z } from 'zod'
import type { ClaudeRuns, Run, RunRequest } from '../../claude-runs/runs/index.ts'
import { type CLAUDE_RUNS_ROUTES, isRunOver, runBody } from '../../contracts/claude-runs/index.ts'
import { invalidBody } from '../../executions/agent-routes/index.ts'
import { AppError, canonicalJson, type Storage, sha256Hex } from '../../kernel/index.ts'
import { type AgentGate, parseJsonBody, readBody, type ScopedHandlers } from '../agent-api/index.ts'
import { callerGone, lastSeen } from '../index.ts'
import { streamRun } from './event-stream.ts'
import type { Callers } from './for-app.ts'
import { statusOfEnd, viewOfRun } from './views.ts'

export interface RunHandlersDeps {
  readonly runs: ClaudeRuns
  readonly storage: Pick<Storage, 'read'>
  readonly gate: Pick<AgentGate, 'hold'>
  /** How long a run whose stream broke waits for its client to come back. */
  readonly reconnectMs: number
}

const DEFAULT_TIMEOUT_SECS = 300

type RunRoutes = Pick<typeof CLAUDE_RUNS_ROUTES, 'submitRun' | 'readRun' | 'cancelRun' | 'followRun'>

export function runHandlers({
  runs,
  storage,
  gate,
  reconnectMs,
}: RunHandlersDeps): ScopedHandlers<RunRoutes, Callers> {
  const viewNow = async (run: Run) => {
    const live = runs.live(run.id)
    return live
      ? viewOfRun(live.run, null, live)
      : viewOfRun(run, isRunOver(run.state) ? await runs.body(run) : null)
  }
  return {
    async submitRun({ app, response, header, send }) {
      const signal = callerGone(response)
      const sent = parseJsonBody(await readBody(response.req, response))
      const body = checkedBody(sent)
      const run = await runs.submit(app, {
        request: requestOf(body),
        bodySha256: sha256Hex(canonicalJson(sent)),
        idempotencyKey: checkedKey(header('idempotency-key')),
      })
      response.setHeader('Location', `/run/${run.id}`)
      if (body.detach === true && body.stream !== true) {
        send(isRunOver(run.state) ? 200 : 202, await viewNow(run))
        return
      }
      using _here = runs.attach(run.id, body.stream === true ? reconnectMs : 0)
      if (body.stream === true) {
        await streamRun(response, runs, { run, after: lastSeen(header('last-event-id')) ?? 0, signal })
        return
      }
      const ended = await runs.wait(run.id, signal)
      send(statusOfEnd(ended), viewOfRun(ended.run, ended.body))
    },
    async readRun({ app, params, send }) {
      send(200, await viewNow(await storage.read((tx) => runs.read(tx, app.id, params.id))))
    },
    async cancelRun({ app, params, send }) {
      const { id } = await storage.read((tx) => runs.read(tx, app.id, params.id))
      await runs.cancel(id, 'Its app ended it.')
      send(200, await viewNow(await storage.read((tx) => runs.read(tx, app.id, id))))
    },
    async followRun({ app, params, response, header }) {
      const signal = callerGone(response)
      const run = await storage.read((tx) => runs.read(tx, app.id, params.id))
      const after = lastSeen(header('last-event-id'))
      if (after === undefined && isRunOver(run.state)) {
        // 204 tells an EventSource not to come again.
        response.statusCode = 204
        response.end()
        return
      }
      using _held = gate.hold(app.id as never)
      using _here = runs.attach(run.id, reconnectMs)
      await streamRun(response, runs, { run, after: after ?? 0, signal })
    },
  }
}

function checkedBody(sent: unknown): z.output<typeof runBody> {
  const parsed = runBody.safeParse(sent)
  if (!parsed.success) throw invalidBody(parsed.error)
  return parsed.data
}

function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\x21-\x7e]{1,128}$/.test(key)) return key
  const message = 'Idempotency-Key takes 1–128 visible ASCII characters.'
  throw new AppError('invalid_request', message, { details: [{ path: ['Idempotency-Key'], message }] })
}

const requestOf = (body: z.output<typeof runBody>): RunRequest => ({
  ...{ prompt: body.prompt, model: body.model ?? null, system: body.system ?? null },
  ...{ appendSystem: body.append_system ?? null, files: body.files ?? [], tools: body.tools ?? [] },
  schema: body.schema ?? null,
  session: body.session ? { id: body.session.id ?? null, fork: body.session.fork ?? false } : null,
  timeoutMs: (body.timeout_secs ?? DEFAULT_TIMEOUT_SECS) * 1_000,
  budget: {
    microUsd: body.budget?.usd == null ? null : Math.floor(body.budget.usd * 1e6),
    tokens: body.budget?.tokens ?? null,
    requests: body.budget?.requests ?? null,
  },
  ...{ maxTurns: body.max_turns ?? null, detach: body.detach ?? false },
})
