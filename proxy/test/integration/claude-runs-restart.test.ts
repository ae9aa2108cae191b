import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bodiesFolderOf } from '../../src/compose/compose-claude-runs.ts'
import { DEFAULT_TENANT } from '../../src/kernel/index.ts'
import { createPlayedRunner, startClaudeRuns } from '../support/claude-runs-kit.ts'

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-claude-restart-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const bodies = (folder: string): string[] =>
  readdirSync(bodiesFolderOf({ dbPath: join(folder, 'proxy.db') }, DEFAULT_TENANT))

it('what ran is failed and never handed over again; what waited may be asked for again under its key', async () => {
  let token: string
  let [ran, waited]: Json[] = []
  {
    await using kit = await startClaudeRuns({ dir, environment: { CLAWDFORGE_MAX_RUNS: '1' } })
    kit.runner.play = () => new Promise(() => {})
    ;({ token } = await kit.addApp())
    const post = async (prompt: string): Promise<Json> =>
      await json(await kit.postRun(token, { prompt, detach: true }, { 'idempotency-key': prompt }))
    ;[ran, waited] = [await post('ran'), await post('waited')]
    await expect.poll(() => kit.runner.orders.length).toBe(1)
    await kit.runs.drain(0)
    // As a crash would have left them: nobody has written any end.
    const open =
      'finished_at = NULL, code = NULL, message = NULL, blob = NULL, blob_key = NULL, blob_until = NULL'
    kit.db.exec(`UPDATE claude_runs SET state = 'running', ${open} WHERE id = '${ran.run_id}'`)
    kit.db.exec(
      `UPDATE claude_runs SET state = 'queued', ${open}, idempotency_key = 'waited' WHERE id = '${waited.run_id}'`,
    )
  }
  writeFileSync(join(dir, 'claude-runs', DEFAULT_TENANT, `${'A'.repeat(22)}.draft`), 'half')
  expect(bodies(dir)).toHaveLength(3)
  const runner = createPlayedRunner()
  await using kit = await startClaudeRuns({ dir, runner })
  for (const { run_id } of [ran, waited] as Json[])
    expect(await json(await kit.call(`/run/${run_id}`, token))).toMatchObject({
      ...{ ok: false, state: 'failed', code: 'daemon_restarted' },
    })
  expect(bodies(dir)).toEqual([])
  const again = await kit.postRun(token, { prompt: 'ran', detach: true }, { 'idempotency-key': 'ran' })
  expect(await json(again)).toMatchObject({ run_id: ran?.run_id, code: 'daemon_restarted' })
  expect(runner.orders).toEqual([])
  const anew = await json(
    await kit.postRun(token, { prompt: 'waited', detach: true }, { 'idempotency-key': 'waited' }),
  )
  expect(anew.run_id).not.toBe(waited?.run_id)
  await expect.poll(() => runner.orders.map(({ prompt }) => prompt)).toEqual(['waited'])
})

it('a stop ends what waits at once and what runs after its time, and both are told so', async () => {
  const kit = await startClaudeRuns({ dir, environment: { CLAWDFORGE_MAX_RUNS: '1' } })
  kit.runner.play = () => new Promise(() => {})
  const { token } = await kit.addApp()
  const all = [kit.postRun(token, { prompt: 'runs' })]
  await expect.poll(() => kit.runner.orders.length).toBe(1)
  all.push(kit.postRun(token, { prompt: 'waits' }))
  await expect.poll(() => kit.runs.counts).toEqual({ running: 1, waiting: 1 })
  await kit.runs.drain(0)
  for (const answer of all) {
    const { status, body } = { status: (await answer).status, body: await json(await answer) }
    expect([status, body.code]).toEqual([503, 'daemon_restarted'])
  }
  const refused = await kit.postRun(token, { prompt: 'late' })
  expect([refused.status, (await json(refused)).code]).toEqual([503, 'shutting_down'])
  await kit[Symbol.asyncDispose]()
})

it('results, files and sessions are there after a restart and a new data key, and are noise on the disk', async () => {
  let token: string
  let [run, file]: Json[] = []
  {
    await using kit = await startClaudeRuns({ dir })
    kit.runner.play = () => ({
      ...{ result: 'a word to find', text: 'a word to find' },
      ...{ sessionTranscript: Buffer.from('a word to find'), sessionId: 'cli-1' },
    })
    ;({ token } = await kit.addApp())
    file = await json(await kit.upload(token, 'a word to find'))
    run = await json(await kit.postRun(token, { prompt: 'hi', session: {} }))
    expect(run.session_id).toMatch(/^ses_/)
    await kit.keys.rotateData('cli:0')
  }
  const stored = await startClaudeRuns({ dir })
  const folder = bodiesFolderOf({ dbPath: join(dir, 'proxy.db') }, DEFAULT_TENANT)
  expect(bodies(dir)).toHaveLength(3)
  for (const name of bodies(dir)) expect(readFileSync(join(folder, name)).includes('word')).toBe(false)
  expect(await json(await stored.call(`/run/${run?.run_id}`, token))).toMatchObject({
    ok: true,
    result: 'a word to find',
  })
  let seen = ''
  let transcript = ''
  stored.runner.play = async (order) => {
    for (const one of order.files) for await (const piece of one.open()) seen += Buffer.from(piece).toString()
    for await (const piece of order.session?.transcript ?? []) transcript += Buffer.from(piece).toString()
    return {}
  }
  await stored.postRun(token, {
    prompt: 'go on',
    files: [file?.file_token],
    session: { id: run?.session_id },
  })
  expect([seen, transcript]).toEqual(['a word to find', 'a word to find'])
  expect(stored.runner.orders[0]?.session).toMatchObject({ id: 'cli-1', fork: false, keep: true })
  // As after a restore without the folder: what is told is that it is gone.
  for (const name of bodies(dir)) rmSync(join(folder, name))
  expect(await json(await stored.call(`/run/${run?.run_id}`, token))).toMatchObject({
    ...{ state: 'done', code: 'gone' },
  })
  const again = await stored.postRun(token, { prompt: 'go on', files: [file?.file_token] })
  expect([again.status, (await json(again)).code]).toEqual([410, 'file_gone'])
  expect(stored.defects).toEqual([])
  await stored[Symbol.asyncDispose]()
})
