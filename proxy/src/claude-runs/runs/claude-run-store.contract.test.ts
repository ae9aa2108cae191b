import { beforeEach, expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { sampleApp, sampleFile, sampleRun, sampleRunSession } from '../../../test/support/store-samples.ts'
import type { RunId } from '../../kernel/index.ts'
import { createAppStore } from '../apps/index.ts'
import { createAppFileStore } from '../files/index.ts'
import { createRunSessionStore } from '../sessions/index.ts'
import { createClaudeRunStore } from './claude-run-store.ts'
import type { Run } from './ports.ts'

const STORES = {
  apps: createAppStore,
  claudeRuns: createClaudeRunStore,
  appFiles: createAppFileStore,
  runSessions: createRunSessionStore,
}

storeContract('the stores of runs, files and sessions', STORES, (kit) => {
  let [app, other] = [sampleApp(), sampleApp()]
  beforeEach(async () => {
    ;[app, other] = [sampleApp(), sampleApp()]
    for (const storage of [kit.mine, kit.theirs])
      await storage.transaction(async (tx) => {
        for (const one of [app, other]) await tx.apps.insert(one)
      })
  })
  const add = (...runs: Run[]): Promise<void> =>
    kit.mine.transaction(async (tx) => {
      for (const run of runs) await tx.claudeRuns.insert(run)
    })
  const ended = (change: Partial<Run> = {}): Run =>
    sampleRun(app.id, { state: 'done', code: 'ok', startedAt: 1_500, finishedAt: 2_000, ...change })

  it('give back every field of a run, and what changes of it', async () => {
    const run = sampleRun(app.id, { idempotencyKey: 'k', isDetached: true, sessionId: 'ses_1' })
    await add(run)
    expect(await kit.mine.read((tx) => tx.claudeRuns.byId(run.id))).toEqual(run)
    const over: Run = {
      ...{ ...run, state: 'failed', code: 'timeout', message: 'é', resultChars: 3, sessionId: null },
      ...{ stopReason: 'end_turn', inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 },
      ...{ requests: 5, microUsd: 6, startedAt: 7, finishedAt: 8, firstByteMs: 9, idempotencyKey: null },
      blob: { id: 'blob', key: 'sealed', until: 10 },
    }
    await kit.mine.transaction((tx) => tx.claudeRuns.update(over))
    expect(await kit.mine.read((tx) => tx.claudeRuns.byId(run.id))).toEqual(over)
    expect(await kit.mine.read((tx) => tx.claudeRuns.byKey(app.id, 'k'))).toBeUndefined()
  })

  it('have one run of a key of an app', async () => {
    const [one, theirs] = [
      sampleRun(app.id, { idempotencyKey: 'k' }),
      sampleRun(other.id, { idempotencyKey: 'k' }),
    ]
    await add(one, theirs, sampleRun(app.id), sampleRun(app.id))
    await expect(add(sampleRun(app.id, { idempotencyKey: 'k' }))).rejects.toThrow()
    expect(await kit.mine.read((tx) => tx.claudeRuns.byKey(app.id, 'k'))).toEqual(one)
    expect(await kit.mine.read((tx) => tx.claudeRuns.byKey(other.id, 'k'))).toEqual(theirs)
  })

  it('list the newest first, in pages, of all or of one app, and those that are not over', async () => {
    const ids = ['run_b', 'run_a', 'run_c'].map((id) => `${id}${kit.me}` as RunId)
    const runs = ids.map((id, at) =>
      sampleRun(at === 2 ? other.id : app.id, { id, createdAt: at === 2 ? 9 : 5 }),
    )
    await add(...runs, ended({ createdAt: 1 }))
    const list = (filter: object) =>
      kit.mine.read(async (tx) => (await tx.claudeRuns.list({ limit: 10, ...filter })).map(({ id }) => id))
    const all = await list({})
    expect(all.slice(0, 3)).toEqual([ids[2], ids[0], ids[1]])
    expect(await list({ appId: app.id })).toEqual([ids[0], ids[1], all[3]])
    const first = runs[0] as Run
    expect(await list({ before: first })).toEqual([ids[1], all[3]])
    expect(await list({ limit: 1 })).toEqual([ids[2]])
    const open = await kit.mine.read((tx) => tx.claudeRuns.open(10))
    expect(open.map(({ id }) => id).sort()).toEqual([...ids].sort())
    expect(await kit.mine.read((tx) => tx.claudeRuns.countSince(app.id, 2))).toBe(2)
  })

  it('delete what ended before, and nothing that keeps a body', async () => {
    const blob = { id: 'b', key: 'k', until: 3_000 }
    await add(ended(), ended({ blob }), ended({ finishedAt: 9_000 }), sampleRun(app.id))
    const past = () => kit.mine.read((tx) => tx.claudeRuns.withBlobUntil(3_000, 10))
    expect((await past()).map((run) => run.blob)).toEqual([blob])
    expect(await kit.mine.transaction((tx) => tx.claudeRuns.deleteEnded(5_000, 10))).toBe(1)
    expect(await kit.mine.read((tx) => tx.claudeRuns.list({ limit: 10 }))).toHaveLength(3)
  })

  it('give back files and sessions, their sums, and those whose time is over', async () => {
    const [file, late] = [sampleFile(app.id), sampleFile(app.id, { expiresAt: 9_000, bytes: 5 })]
    const session = sampleRunSession(app.id)
    await kit.mine.transaction(async (tx) => {
      for (const one of [file, late, sampleFile(other.id)]) await tx.appFiles.insert(one)
      await tx.runSessions.put(session)
      await tx.runSessions.put(sampleRunSession(other.id))
    })
    const newer = {
      ...session,
      runs: 2,
      bytes: 30,
      blob: 'new',
      usedAt: 2_000,
      parent: 'p',
      cliSession: 'cli-2',
    }
    await kit.mine.transaction((tx) => tx.runSessions.put(newer))
    await kit.mine.read(async ({ appFiles, runSessions }) => {
      expect(await appFiles.byId(file.id)).toEqual(file)
      expect(await appFiles.sumOf(app.id)).toEqual({ count: 2, bytes: 15 })
      expect((await appFiles.listOf(app.id)).map(({ id }) => id).sort()).toEqual([file.id, late.id].sort())
      expect((await appFiles.expired(5_000, 10)).map(({ id }) => id)).toContain(file.id)
      expect(await appFiles.expired(4_999, 10)).toEqual([])
      expect(await runSessions.byId(session.id)).toEqual(newer)
      expect(await runSessions.listOf(app.id, 10)).toEqual([newer])
      expect(await runSessions.sumOf(app.id)).toEqual({ count: 1, bytes: 30 })
      expect(await runSessions.expired(5_000, 10)).toHaveLength(2)
      expect(await appFiles.blobs()).toHaveLength(3)
    })
    await kit.mine.transaction(async (tx) => {
      await tx.appFiles.setBlobKey(file.id, 'anew')
      await tx.runSessions.setBlobKey(session.id, 'anew')
      await tx.appFiles.remove(late.id)
    })
    expect(await kit.mine.read((tx) => tx.appFiles.byId(file.id))).toEqual({ ...file, blobKey: 'anew' })
    expect((await kit.mine.read((tx) => tx.runSessions.byId(session.id)))?.blobKey).toBe('anew')
    expect(await kit.mine.read((tx) => tx.appFiles.byId(late.id))).toBeUndefined()
  })

  it('show a tenant nothing of another, and change nothing of it', async () => {
    const [run, file, session] = [
      sampleRun(app.id, { idempotencyKey: 'k', blob: { id: 'b', key: 'k', until: 1 } }),
      sampleFile(app.id),
      sampleRunSession(app.id),
    ]
    await kit.theirs.transaction(async (tx) => {
      await tx.claudeRuns.insert(run)
      await tx.appFiles.insert(file)
      await tx.runSessions.put(session)
    })
    await kit.mine.transaction(async ({ claudeRuns, appFiles, runSessions }) => {
      for (const found of [
        await claudeRuns.byId(run.id),
        await claudeRuns.byKey(app.id, 'k'),
        await appFiles.byId(file.id),
        await runSessions.byId(session.id),
      ])
        expect(found).toBeUndefined()
      for (const store of [claudeRuns, appFiles, runSessions]) expect(await store.blobs()).toEqual([])
      expect(await claudeRuns.list({ limit: 1 })).toEqual([])
      expect(await claudeRuns.open(1)).toEqual([])
      await claudeRuns.update({ ...run, state: 'done' })
      await claudeRuns.setBlobKey(run.id, 'x')
      expect(await claudeRuns.deleteEnded(9_999, 9)).toBe(0)
      await appFiles.remove(file.id)
      await appFiles.setBlobKey(file.id, 'x')
      await runSessions.remove(session.id)
      await runSessions.setBlobKey(session.id, 'x')
    })
    await kit.theirs.read(async (tx) => {
      expect(await tx.claudeRuns.byId(run.id)).toEqual(run)
      expect(await tx.appFiles.byId(file.id)).toEqual(file)
      expect(await tx.runSessions.byId(session.id)).toEqual(session)
    })
  })

  it('find through indexes', async () => {
    for (const tenant of [kit.me, kit.them]) {
      await kit.sql(`INSERT INTO claude_runs (tenant_id, id, app_id, state, model, prompt_sha256, prompt_chars, is_detached,
          input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, requests, created_at, finished_at, body_sha256,
          idempotency_key, blob, blob_key, blob_until)
        SELECT '${tenant}', 'run_' || n, CASE WHEN n % 40 = 0 THEN '${app.id}' ELSE '${other.id}' END,
          CASE WHEN n % 1000 = 0 THEN 'running' ELSE 'done' END, 'm', 'p', 1, 0, 0, 0, 0, 0, 0, n,
          CASE WHEN n % 1000 = 0 THEN NULL ELSE n END, 'b', CASE WHEN n % 100 = 0 THEN 'k' || n END,
          CASE WHEN n % 100 = 0 THEN 'b' || n END, CASE WHEN n % 100 = 0 THEN 'k' END, CASE WHEN n % 100 = 0 THEN n END
        FROM (${kit.numbers(4_000)}) AS numbers`)
    }
    await kit.sql('ANALYZE')
    await kit.expectIndexed('by id', ({ claudeRuns }) => claudeRuns.byId('run_1' as RunId))
    await kit.expectIndexed('by key', ({ claudeRuns }) => claudeRuns.byKey(app.id, 'k400'))
    await kit.expectIndexed('open', ({ claudeRuns }) => claudeRuns.open(10), ['claude_runs_open'])
    await kit.expectIndexed('newest', ({ claudeRuns }) => claudeRuns.list({ limit: 10 }))
    await kit.expectIndexed('of an app', ({ claudeRuns }) => claudeRuns.list({ appId: app.id, limit: 10 }))
    await kit.expectIndexed('today', ({ claudeRuns }) => claudeRuns.countSince(app.id, 3_990))
    await kit.expectIndexed('results past', ({ claudeRuns }) => claudeRuns.withBlobUntil(200, 10))
  })
})
