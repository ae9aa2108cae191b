import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  requestOf,
} from '../support/domain-kit.ts'
import { asAgent, owner } from '../support/principals.ts'

const DAY = 24 * 60 * 60 * 1_000
const START = 1_793_000_000_000
const NEVER = new AbortController().signal
const PERSON = owner('0', 'root')
/** Keeps the only place until the daemon stops. */
const HOLDS = '// holds\n'

let dir: string
let kit: DomainKit
let now: number
let sandbox: ReturnType<typeof createScriptedSandbox>
const start = () => createDomainKit({ dir, clock: { now: () => now }, sandbox, maxConcurrent: 1 })
beforeEach(async () => {
  now = START
  sandbox = createScriptedSandbox((order, _print, signal) =>
    order.code === HOLDS ? new Promise((end) => signal.addEventListener('abort', () => end({}))) : {},
  )
  dir = mkdtempSync(join(tmpdir(), 'oauth3-limits-'))
  kit = await start()
  await addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

async function ask(request: Partial<ExecuteRequest> = {}): Promise<Execution> {
  const [agent] = kit.agents.list()
  if (!agent) throw new Error('no agent')
  return kit.executions.submit(agent, requestOf(request))
}
const ended = ({ requestId }: Execution): Promise<Execution> => kit.executions.wait(requestId, 5_000, NEVER)
const choose = (
  { requestId, consentHash }: Execution,
  choice: string,
  terms: Record<string, number | string> | null,
) =>
  kit.storage.transaction((tx) =>
    kit.approvals.choose(tx, requestId, consentHash, choice, PERSON, { reason: null, terms }),
  )
async function grantOf(terms: Record<string, number>, choice = 'limited'): Promise<Execution> {
  const first = await ask()
  expect(await choose(first, choice, terms)).toMatchObject({ accepted: true })
  return await ended(first)
}
/** What is asked from now on waits for its turn, until the daemon stops. */
async function holdPlace(): Promise<void> {
  const { requestId, consentHash } = await ask({ skillId: 'holds', code: HOLDS })
  await kit.executions.decide(requestId, consentHash, 'once', PERSON)
  await expect.poll(() => ran(HOLDS), { timeout: 20_000 }).toBe(1)
}
const ran = (code = requestOf().code): number => sandbox.orders.filter((order) => order.code === code).length
async function restart(): Promise<void> {
  await kit[Symbol.asyncDispose]()
  kit = await start()
}
const grants = (which: 'standing' | 'newest' = 'standing') =>
  kit.storage.read((tx) => kit.trust.list(tx, which))
const revokeNewest = async (): Promise<unknown> =>
  kit.trust.revoke((await grants('newest'))[0]?.id ?? 0, 'cli:0')
const events = async (): Promise<string[]> =>
  (await kit.audit.newest(1_000)).map(({ event, data }) => `${event} ${data}`).reverse()

describe('a yes for so many uses', () => {
  it('covers three runs, the approved one among them, and asks about the fourth', async () => {
    const first = await grantOf({ uses: 3 })
    const asked = [await ask(), await ask(), await ask()]
    expect(asked.map(({ trusted, status }) => [trusted, status === 'pending'])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ])
    await Promise.all(asked.slice(0, 2).map(ended))
    expect(ran()).toBe(3)
    expect(asked[2]?.consentHash).toBe(first.consentHash)
    expect((await grants('newest'))[0]).toMatchObject({
      level: 'limited',
      uses: 3,
      maxUses: 3,
      endedWhy: 'used',
    })
  })

  it('gives its last use to one of many that ask at once, and every other asks a person', async () => {
    await grantOf({ uses: 2, until: START + DAY })
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, index) => ask({ description: `number ${index}` })),
    )
    expect(all.filter(({ trusted }) => trusted)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 'pending')).toHaveLength(11)
    await Promise.all(all.filter(({ trusted }) => trusted).map(ended))
    expect(ran()).toBe(2)
  })

  it('is not had again by a restart, nor by a run that never began', async () => {
    await grantOf({ uses: 2 })
    await holdPlace()
    const waits = await ask()
    expect([waits.trusted, waits.status]).toEqual([true, 'approved'])
    await kit.executions.cancel(asAgent(waits.agentId), waits.requestId)
    await restart()
    expect((await ask()).status).toBe('pending')
    expect(ran()).toBe(1)
  })

  it('lets the run begin that took the last use, however late its turn comes', async () => {
    await grantOf({ uses: 2 })
    await holdPlace()
    const waits = await ask()
    await restart()
    expect((await ended(waits)).status).toBe('success')
    expect(ran()).toBe(2)
  })

  it('revoked after its last use ends what took that use and has not begun', async () => {
    await grantOf({ uses: 2 })
    await holdPlace()
    const waits = await ask()
    await revokeNewest()
    expect((await grants('newest'))[0]?.endedWhy).toBe('revoked')
    await restart()
    expect((await ended(waits)).failure).toBe('trust_ended')
    expect(ran()).toBe(1)
  })

  it.each([
    ['revoked', () => revokeNewest()],
    [
      'over',
      async () => {
        now += 2 * DAY
      },
    ],
  ])('that is %s before the approved run begins keeps that from beginning', async (_what, end) => {
    await holdPlace()
    const waits = await ask()
    await choose(waits, 'limited', { uses: 3, until: START + DAY })
    await end()
    await restart()
    expect((await ended(waits)).failure).toBe('trust_ended')
    expect(ran()).toBe(0)
  })

  it('takes no use of it while a grant without a number covers the request too', async () => {
    await grantOf({ uses: 5 }, 'limited')
    const other = await ask({ argsJson: '{}' })
    await choose(other, 'forever_any', null)
    await ended(other)
    await ended(await ask({ argsJson: '{"n":1}' }))
    const limited = (await grants()).find(({ level }) => level === 'limited')
    expect(limited?.uses).toBe(1)
  })

  it('of a run that waits begins under a grant that replaced it only with a use of that one', async () => {
    await grantOf({ uses: 9 })
    await holdPlace()
    const waits = await ask()
    const [old] = await grants()
    await kit.storage.transaction(async (tx) => {
      const { consentJson: json, consentHash: hash } = waits
      const sealed = { json, hash, consent: kit.executions.consentOf(waits) }
      const terms = { uses: 2, until: null }
      const requestId = `req_${'f'.repeat(32)}`
      await kit.trust.grant(tx, {
        sealed,
        level: 'limited',
        anyArgs: false,
        terms,
        requestId,
        actor: 'cli:0',
      })
    })
    await restart()
    expect((await ended(waits)).status).toBe('success')
    const [newer, before] = await grants('newest')
    expect([before?.id, before?.endedWhy]).toEqual([old?.id, 'replaced'])
    expect([newer?.uses, newer?.endedWhy]).toEqual([2, 'used'])
  })

  it('stands in the audit: what was given, each use, and its end', async () => {
    await grantOf({ uses: 2, until: START + DAY })
    await ended(await ask())
    const told = (await events()).filter((line) => line.startsWith('trust.'))
    expect(told.map((line) => line.split(' ')[0])).toEqual(['trust.granted', 'trust.ended', 'trust.used'])
    expect(told[0]).toContain('2 uses, until 2026-10-27')
    expect(told[2]).toContain('"max_uses":2')
  })
})

describe('a yes until a date', () => {
  it('asks from that moment on, and again when the clock is set back', async () => {
    await grantOf({ until: START + 2 * DAY })
    now = START + 2 * DAY - 1
    expect((await ask()).trusted).toBe(true)
    now = START + 2 * DAY
    expect((await ask()).status).toBe('pending')
    now = START + DAY
    expect((await ask({ description: 'again' })).status).toBe('pending')
  })

  it('is counted from the approval, whenever the request came', async () => {
    const first = await ask()
    now += 50 * 60_000
    await choose(first, 'limited', { until: now + 60_000 })
    await ended(first)
    now += 59_999
    expect((await ask()).trusted).toBe(true)
    now += 1
    expect((await ask()).status).toBe('pending')
  })
})

describe('limits that are none', () => {
  it.each([
    [{ uses: 0 }, 'uses is a whole number from 1'],
    [{ uses: -1 }, 'uses is a whole number from 1'],
    [{ uses: 1.5 }, 'uses is a whole number from 1'],
    [{ uses: 1e300 }, 'uses is a whole number from 1'],
    [{ uses: '3' }, 'uses is a whole number from 1'],
    [{ until: START }, 'until is over already'],
    [{ until: START - 1 }, 'until is over already'],
    [{ until: -1 }, 'until is over already'],
    [{ until: START + 11 * 366 * DAY }, 'at most ten years'],
    [{ until: '2026-12-31' }, 'unix milliseconds'],
    [{ until: Number.NaN }, 'unix milliseconds'],
    [{ uses: 3, minutes: 4 }, 'The terms of a program are'],
    [{}, 'names uses, until, or both'],
  ])('%j are refused with a reason, and nothing was decided', async (terms, reason) => {
    const asked = await ask()
    await expect(choose(asked, 'limited', terms as Record<string, number>)).rejects.toThrow(reason)
    expect((await kit.executions.wait(asked.requestId, 0, NEVER)).status).toBe('pending')
    expect(await grants('newest')).toEqual([])
  })

  it.each(['once', 'trust24h', 'forever', 'deny'])('go with no answer such as %s', async (choice) => {
    const asked = await ask()
    await expect(choose(asked, choice, { uses: 3 })).rejects.toThrow('go with the choice limited')
    await expect(choose(asked, 'limited', null)).rejects.toThrow('names uses, until, or both')
    await expect(
      kit.executions.decide(asked.requestId, asked.consentHash, 'limited', PERSON),
    ).rejects.toThrow('Limits go with a yes')
    expect((await kit.executions.wait(asked.requestId, 0, NEVER)).status).toBe('pending')
  })

  it('change nothing of what is decided: the hash of the consent is the same with them and without', async () => {
    const first = await grantOf({ uses: 1 })
    const second = await ask()
    expect(second.consentHash).toBe(first.consentHash)
    expect(
      await choose({ ...second, consentHash: 'f'.repeat(64) as Execution['consentHash'] }, 'limited', {
        uses: 2,
      }),
    ).toMatchObject({
      accepted: false,
      reason: 'other_consent',
    })
  })
})

describe('grants with what they were used for', () => {
  it('name the requests that each covered, page by page, and what one covers asks again once it is revoked', async () => {
    await grantOf({ uses: 9 })
    const covered = [await ask(), await ask(), await ask()]
    await Promise.all(covered.map(ended))
    const other = await ask({ skillId: 'other' })
    await choose(other, 'forever', null)
    await ended(await ask({ skillId: 'other' }))
    const grant = (await grants()).find(({ level }) => level === 'limited')
    const page = (before: number | undefined) =>
      kit.storage.read((tx) => kit.executions.ofGrant(tx, grant?.id ?? 0, { before, limit: 2 }))
    const first = await page(undefined)
    const second = await page(first.at(-1)?.rowId)
    expect([...first, ...second].map(({ requestId }) => requestId)).toEqual(
      covered.map(({ requestId }) => requestId).reverse(),
    )
    expect(grant).toMatchObject({ uses: 4, maxUses: 9, lastUsedAt: START, approvedBy: 'cli:0' })
    await kit.trust.revoke(grant?.id ?? 0, 'cli:0')
    expect((await ask()).status).toBe('pending')
  })
})
