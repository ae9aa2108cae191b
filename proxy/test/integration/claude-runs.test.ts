import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunnerUnavailable } from '../../src/claude-runs/index.ts'
import {
  BOOTSTRAP,
  type ClaudeRunsKit,
  createPlayedModels,
  SPENT,
  startClaudeRuns,
} from '../support/claude-runs-kit.ts'
import { collect } from '../support/collect.ts'

/** What the snippet needs of the library `requests`, where that is not installed. */
const REQUESTS = `
import json as j, urllib.request, urllib.error
class Answer:
    def __init__(self, status, body): self.status_code, self.body = status, body
    def raise_for_status(self):
        if self.status_code >= 400: raise RuntimeError(f"{self.status_code}: {self.body}")
    def json(self): return j.loads(self.body)
def post(url, headers, json, timeout):
    head = {**headers, "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, j.dumps(json).encode(), head), timeout=timeout) as got:
            return Answer(got.status, got.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
`

let kit: ClaudeRunsKit
beforeEach(async () => {
  kit = await startClaudeRuns()
})
afterEach(() => kit[Symbol.asyncDispose]())

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json
const rowsOf = async (event: string) =>
  (await collect(kit.audit.export())).filter((row) => row.event === event)

describe('the seed’s own calls', () => {
  /** Word for word those of its page, but for the host. */
  const bash = async (script: string, env: Record<string, string>): Promise<string> => {
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env: { ...process.env, ...env } })
    return stdout
  }

  it('mint a token and look at the health, with curl', async () => {
    const health = JSON.parse(await bash('curl -sS "$CF/healthz"', { CF: kit.url })) as Json
    expect(health).toMatchObject({ ok: true, claude_present: true, version: '2.1.332' })
    const minted = JSON.parse(
      await bash(
        `curl -sS -X POST $CF/admin/tokens \\
  -H "Authorization: Bearer $ADMIN_BOOTSTRAP_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"name":"cauldron","ip_cidrs":["172.24.0.0/16"]}'`,
        { CF: kit.url, ADMIN_BOOTSTRAP_TOKEN: BOOTSTRAP },
      ),
    ) as Json
    expect(minted).toMatchObject({ name: 'cauldron', ip_cidrs: ['172.24.0.0/16'] })
    expect(minted.token).toMatch(/^cf_[A-Za-z0-9_-]{43}$/)
    expect((await kit.postRun(minted.token as string, { prompt: 'x' })).status).toBe(200)
    const list = await json(await kit.call('/admin/tokens', BOOTSTRAP))
    expect(list.tokens).toMatchObject([{ name: 'cauldron' }])
    expect(JSON.stringify(list)).not.toContain('cf_')
    expect((await kit.call('/admin/tokens/cauldron', BOOTSTRAP, { method: 'DELETE' })).status).toBe(200)
    expect((await json(await kit.call('/admin/tokens', BOOTSTRAP))).tokens).toEqual([])
  })

  it('run a prompt, with Python', async () => {
    const { token } = await kit.addApp()
    kit.runner.play = () => ({ result: { hello: 'world' }, text: '{"hello": "world"}' })
    const snippet = `
import os, requests

CF = "http://192.168.0.5:8800"
TOKEN = os.environ["CLAWDFORGE_TOKEN"]

r = requests.post(
    f"{CF}/run",
    headers={"Authorization": f"Bearer {TOKEN}"},
    json={
        "prompt": 'Reply with JSON: {"hello": "world"}',
        "model": "sonnet",
        "timeout_secs": 30,
    },
    timeout=60,
)
r.raise_for_status()
print(r.json()["result"])  # {'hello': 'world'}
`
    const folder = join(kit.dir, 'python')
    mkdirSync(folder)
    writeFileSync(join(folder, 'requests.py'), REQUESTS)
    const { stdout } = await promisify(execFile)(
      'python3',
      ['-c', snippet.replace('http://192.168.0.5:8800', kit.url)],
      { env: { ...process.env, CLAWDFORGE_TOKEN: token, PYTHONPATH: folder } },
    )
    expect(stdout).toBe("{'hello': 'world'}\n")
    expect(kit.runner.orders[0]).toMatchObject({
      model: 'sonnet',
      timeoutMs: 30_000,
      tools: [],
      egress: null,
    })
  })
})

describe('a run', () => {
  it.each(['image_missing', 'engine_away'] as const)(
    'that nothing can carry out ends as %s, which says what to do, and its key is free',
    async (reason) => {
      const { token } = await kit.addApp()
      const { run } = kit.runner
      kit.runner.run = () => Promise.reject(new RunnerUnavailable('no engine', reason))
      const ask = () => kit.postRun(token, { prompt: 'hi' }, { 'idempotency-key': reason })
      const refused = await ask()
      expect([refused.status, await json(refused)]).toMatchObject([
        503,
        { ok: false, code: reason, error: { message: 'no engine' } },
      ])
      const [row] = await rowsOf('run.finished')
      expect(JSON.parse(row?.data ?? '').why).toMatch(/npm run images|oauth3 doctor/)
      kit.runner.run = run
      expect(await json(await ask())).toMatchObject({ ok: true, result: 'hello' })
    },
  )

  it('answers in the seed’s words, with what it cost beside them', async () => {
    const { token, app } = await kit.addApp()
    const answer = await kit.postRun(token, { prompt: 'hi', system: null })
    expect(answer.status).toBe(200)
    const body = await json(answer)
    expect(body).toMatchObject({
      ...{ ok: true, result: 'hello', stop_reason: 'end_turn', code: 'ok', state: 'done' },
      usage: { input_tokens: 10, output_tokens: 5, cache_read_tokens: 2, cache_write_tokens: 1, requests: 1 },
      cost_usd: Number(SPENT.microUsd) / 1e6,
    })
    expect(body.duration_ms).toBeGreaterThanOrEqual(0)
    expect(await json(await kit.call(`/run/${body.run_id}`, token))).toEqual(body)
    const [submitted] = await rowsOf('run.submitted')
    expect(JSON.stringify(submitted)).toContain(
      '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4',
    )
    const [finished] = await rowsOf('run.finished')
    expect(JSON.parse(String(finished?.data))).toMatchObject({
      ...{ app_id: app.id, code: 'ok', prompt_chars: 2, result_chars: 5, micro_usd: 1_500, output_tokens: 5 },
    })
  })

  it.each([
    ['model_refused', 422],
    ['budget_exceeded', 402],
    ['schema_not_met', 422],
    ['upstream_error', 502],
    ['timeout', 504],
    ['silent', 504],
    ['cli_crashed', 502],
    ['sandbox_lost', 503],
    ['session_unknown', 410],
  ] as const)('that ends as %s is %d, with the code and what there was of it', async (code, status) => {
    const { token } = await kit.addApp()
    kit.runner.play = () => ({ code, result: null, text: 'so far', message: 'it went wrong' })
    const answer = await kit.postRun(token, { prompt: 'hi' })
    expect(answer.status).toBe(status)
    const body = await json(answer)
    expect(body).toMatchObject({
      ok: false,
      code,
      partial: 'so far',
      error: { code, message: 'it went wrong' },
    })
    expect(body).not.toHaveProperty('result')
    expect(body.cost_usd).toBe(0.0015)
  })
})

it('budgets are the lower of the run’s and the app’s', async () => {
  const models = createPlayedModels()
  await using other = await startClaudeRuns({ models })
  const { token } = await other.addApp('demo', { limits: { microUsdPerRun: 2_000_000, tokensPerRun: 10 } })
  await other.postRun(token, { prompt: 'hi', budget: { usd: 0.25, tokens: 50 } })
  expect(models.bound[0]?.budget).toEqual({ microUsd: 250_000, tokens: 10, requests: null })
})
