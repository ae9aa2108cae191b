import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  requestOf,
} from '../support/domain-kit.ts'
import { createHeldDisk, type HeldDisk } from '../support/held-disk.ts'
import { approver } from '../support/principals.ts'

/** A trusted run begins in the unit that stores its request: it is as if that had been two, and no code is in two places at once. */

/** The last write of the unit fails. */
const [REFUSE, REFUSE_NO_MORE] =
  process.env.TEST_ENGINE === 'postgres'
    ? [
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
         CREATE TRIGGER refused BEFORE INSERT ON idempotency FOR EACH ROW EXECUTE FUNCTION refuse()`,
        'DROP TRIGGER refused ON idempotency',
      ]
    : [
        `CREATE TRIGGER refused BEFORE INSERT ON idempotency BEGIN SELECT RAISE(ABORT, 'refused'); END`,
        'DROP TRIGGER refused',
      ]

let dir: string
let disk: HeldDisk
let kit: DomainKit
let agent: Agent
let sandbox: ReturnType<typeof createScriptedSandbox>

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-begin-'))
  disk = createHeldDisk()
  sandbox = createScriptedSandbox()
  kit = await createDomainKit({ dir, sandbox, toDisk: disk.toDisk, maxConcurrent: 1 })
  agent = await addAgent(kit)
  const first = await submit()
  await kit.executions.decide(first.requestId, first.consentHash, 'forever', approver('7', 'Ann'))
  await expect.poll(() => stored(first)).toMatchObject({ status: 'success' })
})
afterEach(async () => {
  disk.release()
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const submit = (request: Partial<ExecuteRequest> = {}, key?: string): Promise<Execution> =>
  kit.executions.submit(agent, requestOf(request), key === undefined ? undefined : { key, bodyHash: 'b' })
const stored = ({ requestId }: Execution) => kit.storage.read((tx) => kit.executions.find(tx, requestId))
const all = () => kit.storage.read((tx) => kit.executions.list(tx, { limit: 9 }))

describe('a trusted run', () => {
  it('is running on the disk before any of its code is handed over', async () => {
    disk.hold()
    const asked = submit()
    await expect.poll(async () => (await all())[0]?.status).toBe('running')
    await sleep(300)
    expect([sandbox.orders.length, disk.waiting]).toEqual([1, 1])
    disk.release()
    await expect.poll(async () => stored(await asked)).toMatchObject({ status: 'success' })
    expect(sandbox.orders).toHaveLength(2)
  })

  it('that was stopped before its code was handed over stays so, also when that is over by then', async () => {
    disk.hold()
    const asked = submit()
    await expect.poll(async () => (await all())[0]?.status).toBe('running')
    kit.runs.halt()
    kit.runs.resume()
    disk.release()
    await expect
      .poll(async () => stored(await asked))
      .toMatchObject({ status: 'failed', failure: 'interrupted' })
    expect(sandbox.orders).toHaveLength(1)
  })

  it('waits for the disk once to begin', async () => {
    disk.hold()
    const asked = submit()
    await expect.poll(() => disk.waiting).toBe(1)
    disk.release()
    expect(await asked).toMatchObject({ status: 'running', trusted: true })
  })

  it('was approved before it ran, in two lines of the audit', async () => {
    const { requestId } = await submit()
    const rows = await Array.fromAsync(kit.audit.export())
    const events = rows.filter((row) => row.requestId === requestId).map(({ event }) => event)
    expect(events.slice(0, 3)).toEqual(['request.received', 'trust.used', 'execution.started'])
  })

  it('whose unit is undone at its end ran nowhere, and leaves sandbox and place to the next', async () => {
    kit.db.exec(REFUSE)
    await expect(submit({}, 'key-1')).rejects.toThrow()
    expect([sandbox.orders.length, sandbox.claims.kept, kit.runs.active, (await all()).length]).toEqual([
      1, 0, 0, 1,
    ])
    kit.db.exec(REFUSE_NO_MORE)
    const again = await submit({}, 'key-1')
    await expect.poll(() => stored(again)).toMatchObject({ status: 'success' })
    expect([sandbox.orders.length, sandbox.claims.kept]).toEqual([2, 0])
  })

  it('that was revoked meanwhile is asked about, and keeps nothing', async () => {
    const [grant] = await kit.storage.read((tx) => kit.trust.list(tx))
    await kit.trust.revoke(grant?.id ?? 0, 'cli:0')
    expect(await submit()).toMatchObject({ status: 'pending' })
    expect([sandbox.orders.length, sandbox.claims.kept, kit.runs.active]).toEqual([1, 0, 0])
  })
})
