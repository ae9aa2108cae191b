import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  type DomainKitOptions,
  requestOf,
} from '../../test/support/domain-kit.ts'
import { asAgent, owner } from '../../test/support/principals.ts'
import type { DecisionKind } from '../approvals/index.ts'
import type { ExecuteRequest, Execution } from '../executions/index.ts'
import type { Agent } from '../identity/agents/index.ts'
import { sealLock } from '../sandbox/imports/index.ts'

const APPROVER = owner('0', 'Ann')
const DAY_MS = 24 * 3_600_000
const NOW = 1_700_000_000_000
const OUTPUT = 'o'.repeat(50_000)

let dir: string
let kit: DomainKit
let agent: Agent
let now: number
let sandbox: ReturnType<typeof createScriptedSandbox>

beforeEach(async () => {
  now = NOW
  dir = mkdtempSync(join(tmpdir(), 'oauth3-retention-'))
  await start()
  agent = await addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

async function start(options: Partial<DomainKitOptions> = {}): Promise<void> {
  sandbox = createScriptedSandbox((_order, print) => {
    print('stdout', OUTPUT)
    return {}
  })
  kit = await createDomainKit({ dir, clock: { now: () => now }, sandbox, ...options })
}
async function restart(options: Partial<DomainKitOptions>): Promise<void> {
  await kit[Symbol.asyncDispose]()
  await start(options)
}
const submit = (request: Partial<ExecuteRequest> = {}, key?: string): Promise<Execution> =>
  kit.executions.submit(agent, requestOf(request), key === undefined ? undefined : { key, bodyHash: 'b' })
const decide = (execution: Execution, decision: DecisionKind) =>
  kit.executions.decide(execution.requestId, execution.consentHash, decision, APPROVER)
const final = (execution: Execution): Promise<Execution> =>
  kit.executions.wait(execution.requestId, 15_000, new AbortController().signal)
const settle = async (): Promise<void> => {
  for (let turns = 0; await kit.retention.turn(); turns++)
    if (turns > 10_000) throw new Error('it does not end')
}
const count = (table: string): number => Number(kit.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
const bytesOf = (id: string = agent.id): number =>
  Number(kit.db.prepare('SELECT bytes FROM agent_storage WHERE agent_id = ?').pluck().get(id) ?? 0)
/** What the sum of an agent must be, counted from the rows themselves. */
const counted = (): number =>
  Number(
    kit.db
      .prepare(
        `SELECT (SELECT ifnull(sum(octet_length(consent) + octet_length(changes) + output_bytes + 1024), 0) FROM executions)
         + (SELECT ifnull(sum(octet_length(text)), 0) FROM consents)
         + (SELECT ifnull(sum(bytes), 0) FROM content_holders)
         + (SELECT ifnull(sum(octet_length(key) + 256), 0) FROM idempotency)`,
      )
      .pluck()
      .get(),
  )

async function trusted(request: Partial<ExecuteRequest> = {}): Promise<Execution> {
  const asked = await submit(request)
  await decide(asked, 'forever')
  return await final(asked)
}

describe('code and its facts', () => {
  it.each(['deny', 'expire', 'cancel', 'revoke the agent'] as const)(
    'go when a request ends unapproved: %s',
    async (how) => {
      const execution = await submit()
      expect([count('code'), count('code_facts')]).toEqual([1, 1])
      if (how === 'deny') await decide(execution, 'deny')
      if (how === 'cancel') await kit.executions.cancel(asAgent(agent.id), execution.requestId)
      if (how === 'revoke the agent') await kit.agents.revoke(agent.name, 'cli:0')
      if (how === 'expire') {
        now += 2 * 3_600_000
        await kit.approvals.tick()
        await settle()
        // It may be asked once more for a day.
        expect([count('code'), count('code_facts')]).toEqual([1, 1])
        now += 24 * 3_600_000
      }
      await settle()
      expect([count('code'), count('code_facts'), count('content_holders')]).toEqual([0, 0, 0])
      const ended = await kit.executions.resolve(execution.requestId)
      expect((await kit.storage.read((tx) => kit.executions.cardOf(tx, ended))).code).toMatchObject({
        kept: false,
        text: `The code is no longer kept; its hash is ${execution.codeHash}`,
      })
      expect(bytesOf()).toBe(counted())
    },
  )

  it('are stored anew, facts too, when the same code is asked for again', async () => {
    await decide(await submit(), 'deny')
    await settle()
    await submit()
    expect([count('code'), count('code_facts')]).toEqual([1, 1])
  })

  it('stay for an active grant and go when it has ended and their time is over', async () => {
    await restart({ retention: { codeMs: DAY_MS } })
    await trusted()
    now += 10 * DAY_MS
    await settle()
    expect(count('code')).toBe(1)
    await kit.trust.revoke(1, 'cli:0')
    now += DAY_MS
    await settle()
    expect([count('code'), count('content_holders')]).toEqual([0, 0])
  })

  it('that ran once stay for their time', async () => {
    await restart({ retention: { codeMs: 3 * DAY_MS } })
    const asked = await submit()
    await decide(asked, 'once')
    await final(asked)
    now += DAY_MS
    await settle()
    expect(count('code')).toBe(1)
    now += 3 * DAY_MS
    await settle()
    expect(count('code')).toBe(0)
  })
})

describe('imports', () => {
  const contents = (text: string): ReadonlyMap<string, Uint8Array> =>
    new Map([
      ['shared.js', Buffer.from('shared')],
      ['own.js', Buffer.from(text)],
    ])
  const withImports = () =>
    restart({
      resolve: async (code, runtime) =>
        sealLock({ runtime, files: contents(code), modules: ['https://x.example/own.js'] }),
    })
  const importing = (name: string): Partial<ExecuteRequest> => ({
    code: `import "https://x.example/${name}.js"\n`,
  })

  it('go with a request that was denied, files that another lock needs stay', async () => {
    await withImports()
    const first = await submit(importing('a'))
    await submit(importing('b'))
    expect([count('import_locks'), count('import_files')]).toEqual([2, 3])
    await decide(first, 'deny')
    await settle()
    expect([count('import_locks'), count('import_files'), count('import_lock_files')]).toEqual([1, 2, 2])
  })

  it('of an active grant are there for its next run after everything was pruned', async () => {
    await withImports()
    await trusted(importing('a'))
    now += 40 * DAY_MS
    expect(await kit.retention.prune({ olderThanMs: 0, maxBytes: 1 }, 'cli:0', 60_000)).toMatchObject({
      finished: true,
    })
    const again = await submit(importing('a'))
    expect(again.trusted).toBe(true)
    expect((await final(again)).status).toBe('success')
    expect([...(sandbox.orders.at(-1)?.imports?.contents.values() ?? [])].map(String)).toContain('shared')
    expect(sandbox.orders.at(-1)?.code).toBe(importing('a').code)
  })
})

describe('the room of an agent', () => {
  it('is kept as a sum of its rows, whatever becomes of them', async () => {
    const denied = await submit({ code: 'a' }, 'key-1')
    await decide(denied, 'deny')
    await trusted({ code: 'b' })
    await final(await submit({ code: 'b' }, 'key-2'))
    await settle()
    expect(bytesOf()).toBe(counted())
    now += 3 * DAY_MS
    await kit.executions.tick()
    await kit.retention.prune({ olderThanMs: 0, maxBytes: null }, 'cli:0', 60_000)
    expect(count('idempotency')).toBe(0)
    expect(bytesOf()).toBe(counted())
  })

  it('is made of its own oldest output; decisions and other agents stay', async () => {
    await restart({ retention: { maxBytesPerAgent: 400_000 } })
    const first = await trusted()
    for (let i = 0; i < 12; i++) await final(await submit())
    expect(bytesOf()).toBeLessThan(400_000 + OUTPUT.length)
    const oldest = await kit.executions.resolve(first.requestId)
    expect(oldest.result).toMatchObject({ stdout: '', notKept: true, exitCode: 0 })
    expect(oldest.decision).toBe('forever')
    const newest = (await kit.storage.read((tx) => kit.executions.list(tx, { limit: 1 })))[0]
    expect(newest && (await kit.executions.resolve(newest.requestId)).result?.stdout).toBe(OUTPUT)
  })

  it('is made of every full agent, also behind one of whose rows none can go', async () => {
    const [stuck, other] = [agent, await addAgent(kit, 'other')].sort((a, b) => (a.id < b.id ? -1 : 1)) as [
      Agent,
      Agent,
    ]
    agent = other
    await trusted()
    for (let i = 0; i < 6; i++) await final(await submit())
    agent = stuck
    await submit({ argsJson: JSON.stringify({ a: 'x'.repeat(200_000) }) })
    await restart({ retention: { maxBytesPerAgent: 200_000 } })
    await settle()
    expect(bytesOf(other.id)).toBeLessThan(0.9 * 200_000)
    expect(bytesOf(stuck.id)).toBeGreaterThan(200_000)
  })

  it('is refused when only rows fill it that a key may still name, and comes back a day later', async () => {
    await restart({ retention: { maxBytesPerAgent: 120_000 } })
    await trusted({ argsJson: null })
    const args = 'x'.repeat(20_000)
    const asked = await submit({ argsJson: JSON.stringify({ a: args }) })
    await decide(asked, 'forever_any')
    await final(asked)
    const more = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) await final(await submit({ argsJson: JSON.stringify({ a: args, i }) }))
    }
    await expect(more()).rejects.toMatchObject({ code: 'rate_limited' })
    now += DAY_MS + 1
    await final(await submit({ argsJson: JSON.stringify({ a: args, i: 8 }) }))
    expect((await kit.executions.resolve(asked.requestId)).decision).toBe('forever_any')
  })
})

describe('what has ended', () => {
  const policy = { outputsMs: 10 * DAY_MS, codeMs: 10 * DAY_MS, executionsMs: 20 * DAY_MS }

  it('goes by age: output first, then the row; what waits and the audit stay', async () => {
    await restart({ retention: policy, approvalTtlMs: 100 * DAY_MS })
    const ran = await trusted()
    await submit({ code: 'waits' })
    const auditRows = count('audit_log')
    now += 11 * DAY_MS
    await settle()
    expect((await kit.executions.resolve(ran.requestId)).result?.notKept).toBe(true)
    now += 10 * DAY_MS
    await settle()
    expect(await kit.storage.read((tx) => kit.executions.find(tx, ran.requestId))).toBeUndefined()
    expect(
      (await kit.storage.read((tx) => kit.executions.list(tx, { limit: 10 }))).map(({ status }) => status),
    ).toEqual(['pending'])
    expect(count('approvals')).toBe(1)
    expect(count('audit_log')).toBeGreaterThanOrEqual(auditRows)
    expect((await kit.audit.verify()).ok).toBe(true)
  })

  it('stays while a message to the chat is on its way', async () => {
    await restart({ retention: policy })
    const first = await submit()
    await decide(first, 'deny')
    await submit({ code: 'newest' })
    await kit.storage.transaction((tx) =>
      kit.outbox.enqueue(tx, 'telegram:1', 'card_update', { requestId: first.requestId }),
    )
    now += 30 * DAY_MS
    await settle()
    expect((await kit.storage.read((tx) => kit.executions.find(tx, first.requestId)))?.status).toBe('denied')
    kit.db.exec('DELETE FROM outbox')
    kit.retention.reconsider()
    await settle()
    expect(await kit.storage.read((tx) => kit.executions.find(tx, first.requestId))).toBeUndefined()
  })

  it('is not taken within a day, so that a repeated key finds its answer', async () => {
    const first = await submit({}, 'key')
    await decide(first, 'deny')
    await submit({ code: 'newest' })
    now += DAY_MS - 60_000
    await kit.retention.prune({ olderThanMs: 0, maxBytes: 1 }, 'cli:0', 60_000)
    expect((await submit({}, 'key')).requestId).toBe(first.requestId)
  })

  it.each<[string, number, number]>([
    ['ended before', DAY_MS, 1],
    ['ended at any time, with an age of 0, also after the clock was set back', 0, 2],
  ])('loses the output that %s, in whatever order it came', async (_what, olderThanMs, expected) => {
    await trusted()
    now -= 3 * DAY_MS
    await final(await submit())
    now += 2 * DAY_MS
    const wish = { olderThanMs, maxBytes: null }
    expect(await kit.retention.count(wish)).toMatchObject({ outputs: expected })
    expect(await kit.retention.prune(wish, 'cli:0', 60_000)).toMatchObject({ outputs: expected })
  })

  it('is counted before it goes, and what goes is what was counted', async () => {
    const ran = await trusted()
    await decide(await submit({ code: 'b' }), 'deny')
    await submit({ code: 'c' })
    now += 5 * DAY_MS
    const wish = { olderThanMs: DAY_MS, maxBytes: null }
    const counts = await kit.retention.count(wish)
    expect(counts).toMatchObject({ outputs: 1, executions: 2, waiting: 1, grants: 1, unsent: 0, young: 0 })
    expect(counts.outputBytes).toBeGreaterThan(OUTPUT.length)
    expect(await kit.retention.prune(wish, 'cli:0', 60_000)).toMatchObject({ outputs: 1, executions: 2 })
    expect(await kit.storage.read((tx) => kit.executions.find(tx, ran.requestId))).toBeUndefined()
    expect([...(await kit.audit.newest(1))][0]).toMatchObject({ event: 'storage.pruned', actor: 'cli:0' })
  })
})

describe('the size of the database', () => {
  it('is held by dropping the oldest, and given back to the disk', async () => {
    await restart({ retention: { maxDatabaseBytes: 1_500_000 } })
    await trusted()
    for (let i = 0; i < 60; i++) await final(await submit())
    expect((await kit.retention.size()).used).toBeGreaterThan(2_000_000)
    kit.retention.reconsider()
    await settle()
    expect((await kit.retention.size()).used).toBeLessThan(1_500_000)
    const newest = (await kit.storage.read((tx) => kit.executions.list(tx, { limit: 1 })))[0]
    expect(newest && (await kit.executions.resolve(newest.requestId)).result?.stdout).toBe(OUTPUT)
  })
})
