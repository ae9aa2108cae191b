import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { SandboxUnavailable } from '../../src/sandbox/index.ts'
import { createDomainKit, createScriptedSandbox, type DomainKit, requestOf } from '../support/domain-kit.ts'
import { createHeldDisk } from '../support/held-disk.ts'
import { patience } from '../support/pace.ts'
import { approver } from '../support/principals.ts'

/** Revoking an agent takes back what its code is doing with secrets, not only what it may ask for next. */

let disk: ReturnType<typeof createHeldDisk>
let dir: string
let kit: DomainKit
let sandbox: ReturnType<typeof createScriptedSandbox>
/** How the run of each agent ends: told to, unless the test ends it before. */
let play: (signal: AbortSignal) => Promise<{ end: 'cancelled' | 'exited' }>
let own: PromiseWithResolvers<void>

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-revoked-'))
  disk = createHeldDisk()
  own = Promise.withResolvers()
  play = (signal) =>
    Promise.race([
      own.promise.then(() => ({ end: 'exited' as const })),
      new Promise<{ end: 'cancelled' }>((resolve) =>
        signal.addEventListener('abort', () => resolve({ end: 'cancelled' }), { once: true }),
      ),
    ])
  sandbox = createScriptedSandbox((_order, _print, signal) => play(signal))
  kit = await createDomainKit({ dir, sandbox, toDisk: disk.toDisk, maxConcurrent: 4 })
})
afterEach(async () => {
  disk.release()
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const agentNamed = async (name: string): Promise<Agent> => (await kit.agents.add({ name }, 'cli:0')).agent
const ask = (agent: Agent): Promise<Execution> =>
  kit.executions.submit(agent, requestOf({ network: ['a.example.com'] }))
async function approved(agent: Agent): Promise<Execution> {
  const asked = await ask(agent)
  await kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
  return asked
}
const stored = ({ requestId }: Execution) => kit.storage.read((tx) => kit.executions.find(tx, requestId))
const INTERRUPTED = { status: 'failed', failure: 'interrupted' }
const handedOver = (count: number) =>
  expect.poll(() => sandbox.orders.length, { timeout: patience(5_000) }).toBe(count)

describe('the code of an agent that is revoked', () => {
  test('ends, and reaches nothing from then on, while that of others goes on', async () => {
    const [gone, stays] = [await agentNamed('gone'), await agentNamed('stays')]
    const ended = await approved(gone)
    const goesOn = await approved(stays)
    await handedOver(2)
    await kit.agents.revoke('gone', 'cli:0')
    const open = new Map(sandbox.orders.map(({ requestId, egress }) => [requestId, egress?.ended]))
    expect([open.get(ended.requestId), open.get(goesOn.requestId)]).toEqual([true, false])
    await expect.poll(() => stored(ended)).toMatchObject(INTERRUPTED)
    expect(await stored(goesOn)).toMatchObject({ status: 'running' })
    own.resolve()
    await expect.poll(() => stored(goesOn)).toMatchObject({ status: 'success' })
  })

  test('is not handed over where the disk had not said yet that it began', async () => {
    const gone = await agentNamed('gone')
    const asked = await ask(gone)
    disk.hold()
    const decided = kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
    await expect.poll(() => stored(asked), { timeout: patience(5_000) }).toMatchObject({ status: 'running' })
    const revoked = kit.agents.revoke('gone', 'cli:0')
    await expect.poll(() => kit.agents.byId(gone.id)?.revokedAt).not.toBeNull()
    disk.release()
    await Promise.all([decided, revoked])
    await expect.poll(() => stored(asked)).toMatchObject(INTERRUPTED)
    expect(sandbox.orders).toHaveLength(0)
  })

  test('begins with no later daemon', async () => {
    const gone = await agentNamed('gone')
    play = () => own.promise.then(() => Promise.reject(new SandboxUnavailable('gone')))
    const asked = await approved(gone)
    await handedOver(1)
    await kit.agents.revoke('gone', 'cli:0')
    const drained = kit.runs.drain(0)
    own.resolve()
    await drained
    expect(await stored(asked)).toMatchObject(INTERRUPTED)

    // As a daemon leaves it whose disk took the outcome no more.
    await kit.storage.transaction(async (tx) => {
      const row = await tx.executions.byRequestId(asked.requestId)
      if (row) await tx.executions.update({ ...row, status: 'approved', failure: null, finishedAt: null })
    })
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir, sandbox })
    await expect.poll(() => stored(asked)).toMatchObject({ status: 'failed', failure: 'trust_ended' })
    expect(sandbox.orders).toHaveLength(1)
  })

  test('waits for no sandbox that was gone just then', async () => {
    const gone = await agentNamed('gone')
    play = (signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new SandboxUnavailable('gone')), { once: true }),
      )
    const asked = await approved(gone)
    await handedOver(1)
    await kit.agents.revoke('gone', 'cli:0')
    await expect.poll(() => stored(asked)).toMatchObject(INTERRUPTED)
  })
})

test('whoever waits for the outcome with a token that was revoked meanwhile is told nothing', async () => {
  const asked = await approved(await agentNamed('gone'))
  await handedOver(1)
  const { signal } = new AbortController()
  const waited = kit.executions.wait(asked.requestId, 60_000, signal)
  const followed = Array.fromAsync(kit.executions.follow(asked.requestId, signal))
  const ends = Promise.allSettled([waited, followed])
  await kit.agents.revoke('gone', 'cli:0')
  const revoked = { status: 'rejected', reason: { code: 'unauthenticated' } }
  expect(await ends).toMatchObject([revoked, revoked])
})
