import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { actorOf } from '../../src/identity/index.ts'
import { type SandboxStatus, SandboxUnavailable } from '../../src/sandbox/index.ts'
import {
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  ready,
  requestOf,
  untilEnded,
} from '../support/domain-kit.ts'
import { createHeldDisk } from '../support/held-disk.ts'
import { patience } from '../support/pace.ts'
import { approver, asAgent, owner } from '../support/principals.ts'

/** A person stops one run: it ends, it alone, and nothing begins it again. */

let disk: ReturnType<typeof createHeldDisk>
let dir: string
let kit: DomainKit
let agent: Agent
let sandbox: ReturnType<typeof createScriptedSandbox>
let status: SandboxStatus
let play: (signal: AbortSignal) => Promise<{ end: 'cancelled' }>

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-stopped-'))
  disk = createHeldDisk()
  status = ready()
  play = untilEnded
  sandbox = createScriptedSandbox(
    (_order, _print, signal) => play(signal),
    () => status,
  )
  kit = await createDomainKit({ dir, sandbox, toDisk: disk.toDisk, maxConcurrent: 2 })
  ;({ agent } = await kit.agents.add({ name: 'busy' }, 'cli:0'))
})
afterEach(async () => {
  disk.release()
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const ask = (skillId = 'demo'): Promise<Execution> =>
  kit.executions.submit(agent, requestOf({ skillId, network: ['a.example.com'] }))
async function approved(skillId?: string): Promise<Execution> {
  const asked = await ask(skillId)
  await kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
  return asked
}
/** Its sandbox goes away as it begins, and the disk does not take that it waits for another. */
async function approvedAndUnstored(): Promise<Execution> {
  let runs = 0
  play = (signal) => {
    runs += 1
    if (runs > 1) return untilEnded(signal)
    kit.db.exec('BEGIN IMMEDIATE')
    return Promise.reject(new SandboxUnavailable('gone'))
  }
  const asked = await approved()
  await expect.poll(() => kit.defects.length, { timeout: patience(20_000) }).toBeGreaterThan(0)
  return asked
}
const stored = ({ requestId }: Execution) => kit.storage.read((tx) => kit.executions.find(tx, requestId))
const handedOver = (count: number) =>
  expect.poll(() => sandbox.orders.length, { timeout: patience(5_000) }).toBe(count)
const stopIsStored = () =>
  expect
    .poll(async () => (await kit.audit.newest(9)).map(({ event }) => event), { timeout: patience(5_000) })
    .toContain('execution.stopped')
const STOPPED = { status: 'failed', failure: 'stopped' }
const BEING_ENDED = { code: 'storage_unavailable', message: expect.stringContaining('is being ended') }

describe('a run that a person stops', () => {
  test('is over when that is answered, and reaches nothing from then on; the next of its agent begins', async () => {
    const [first, next] = [await approved('first'), await approved('next')]
    await handedOver(1)
    expect(await kit.executions.stopAndWait(owner(), first.requestId)).toMatchObject(STOPPED)
    expect(sandbox.orders[0]?.egress?.ended).toBe(true)
    await handedOver(2)
    expect(sandbox.orders[1]).toMatchObject({ requestId: next.requestId, egress: { ended: false } })
    expect(await stored(next)).toMatchObject({ status: 'running' })
  })

  test('is not handed over where the disk had not said yet that it began', async () => {
    const asked = await ask()
    disk.hold()
    const decided = kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
    await expect.poll(() => stored(asked), { timeout: patience(5_000) }).toMatchObject({ status: 'running' })
    const stopped = kit.executions.stopAndWait(owner(), asked.requestId)
    await stopIsStored()
    disk.release()
    await Promise.all([decided, stopped])
    expect(await stored(asked)).toMatchObject(STOPPED)
    expect(sandbox.orders).toHaveLength(0)
  })

  test('does not begin while it waits for a place, nor when one is free', async () => {
    const first = await approved('first')
    await handedOver(1)
    const waiting = await approved('waiting')
    expect(await kit.executions.stopAndWait(owner(), waiting.requestId)).toMatchObject(STOPPED)
    expect(await stored(first)).toMatchObject({ status: 'running' })
    await kit.executions.stopAndWait(owner(), first.requestId)
    const last = await approved('last')
    await handedOver(2)
    expect(sandbox.orders.map(({ requestId }) => requestId)).toEqual([first.requestId, last.requestId])
    expect(await stored(waiting)).toMatchObject(STOPPED)
  })

  test('waits for no sandbox that is away', async () => {
    play = (signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new SandboxUnavailable('gone')), { once: true }),
      )
    const under = await approved('under way')
    await handedOver(1)
    expect(await kit.executions.stopAndWait(owner(), under.requestId)).toMatchObject(STOPPED)

    const asked = await ask('not begun')
    status = { ...ready(), kind: 'unavailable', runtimes: [] }
    await kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
    expect(await stored(asked)).toMatchObject({ status: 'approved' })
    expect(await kit.executions.stopAndWait(approver('7', 'Ann'), asked.requestId)).toMatchObject(STOPPED)
    status = ready()
    await kit.runs.drain(0)
    expect(sandbox.orders).toHaveLength(1)
  })

  test('does not begin again where the disk had not taken that it waits for a sandbox', async () => {
    const asked = await approvedAndUnstored()
    kit.defects.splice(0)
    kit.db.exec('COMMIT')
    expect(await kit.executions.stopAndWait(owner(), asked.requestId)).toMatchObject(STOPPED)
    expect(sandbox.orders).toHaveLength(1)
  })

  test('does not begin again either where it is stopped while the disk takes nothing', async () => {
    const asked = await approvedAndUnstored()
    await expect(kit.executions.stopAndWait(owner(), asked.requestId)).rejects.toMatchObject(BEING_ENDED)
    kit.db.exec('COMMIT')
    kit.defects.splice(0)
    await expect.poll(() => stored(asked), { timeout: patience(20_000) }).toMatchObject(STOPPED)
    expect(sandbox.orders).toHaveLength(1)
    const told = (await kit.audit.newest(9)).find(({ event }) => event === 'execution.stopped')
    expect(told).toMatchObject({ actor: actorOf(owner()), requestId: asked.requestId })
  })

  test('is not said to be ended while it waits to begin and the disk takes nothing', async () => {
    const asked = await ask()
    status = { kind: 'unavailable', reason: 'gone' } as never
    await kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
    kit.db.exec('BEGIN IMMEDIATE')
    status = ready()
    await expect.poll(() => kit.defects.length, { timeout: patience(20_000) }).toBeGreaterThan(0)
    await expect(kit.executions.stopAndWait(owner(), asked.requestId)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.not.stringContaining('being ended'),
    })
    kit.db.exec('COMMIT')
    kit.defects.splice(0)
    await handedOver(1)
    expect(await kit.executions.stopAndWait(owner(), asked.requestId)).toMatchObject(STOPPED)
  })

  test('begins with no later daemon, although this one was at its end', async () => {
    const gone = Promise.withResolvers<never>()
    play = () => gone.promise
    const asked = await approved()
    await handedOver(1)
    const drained = kit.runs.drain(0)
    await expect.poll(() => sandbox.orders[0]?.egress?.ended).toBe(true)
    const stopped = kit.executions.stopAndWait(owner(), asked.requestId)
    await stopIsStored()
    gone.reject(new SandboxUnavailable('gone'))
    await drained
    expect(await stopped).toMatchObject(STOPPED)
  })

  test('is over although the disk does not take that it was stopped, which is told', async () => {
    const asked = await approved()
    await handedOver(1)
    kit.db.exec('BEGIN IMMEDIATE')
    for (const stranger of [asAgent(agent.id), owner('0', 'other', 'ten_other' as never)])
      await expect(kit.executions.stopAndWait(stranger, asked.requestId)).rejects.toMatchObject({
        code: 'storage_unavailable',
        message: expect.not.stringContaining('being ended'),
      })
    expect(sandbox.orders[0]?.egress?.ended).toBe(false)
    await expect(kit.executions.stopAndWait(owner(), asked.requestId)).rejects.toMatchObject(BEING_ENDED)
    expect(sandbox.orders[0]?.egress?.ended).toBe(true)
    await expect.poll(() => kit.defects.length, { timeout: patience(20_000) }).toBeGreaterThan(0)
    kit.defects.splice(0)
    kit.db.exec('COMMIT')
    await expect.poll(() => stored(asked), { timeout: patience(20_000) }).toMatchObject(STOPPED)
    expect(sandbox.orders).toHaveLength(1)
  })

  test('is stopped by persons alone, and only where it was approved', async () => {
    const asked = await ask()
    await expect(kit.executions.stopAndWait(owner(), asked.requestId)).rejects.toMatchObject({
      code: 'conflict',
    })
    const lacking = await kit.executions.submit(agent, requestOf({ secrets: [{ name: 'LATE_KEY' }] }))
    await kit.executions.decide(lacking.requestId, lacking.consentHash, 'once', approver('7', 'Ann'))
    expect(await stored(lacking)).toMatchObject({ status: 'awaiting_secrets' })
    await expect(kit.executions.stopAndWait(owner(), lacking.requestId)).rejects.toMatchObject({
      code: 'conflict',
    })
    await kit.executions.decide(asked.requestId, asked.consentHash, 'once', approver('7', 'Ann'))
    await handedOver(1)
    const strangers = [asAgent(agent.id), owner('0', 'other', 'ten_other' as never)]
    for (const stranger of strangers)
      await expect(kit.executions.stopAndWait(stranger, asked.requestId)).rejects.toMatchObject({
        code: 'not_found',
      })
    expect(await stored(asked)).toMatchObject({ status: 'running' })
    const both = [1, 2].map(() => kit.executions.stopAndWait(owner(), asked.requestId))
    await Promise.all(both)
    await expect(kit.executions.stopAndWait(owner(), asked.requestId)).rejects.toMatchObject({
      code: 'conflict',
    })
  })
})
