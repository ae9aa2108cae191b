/** One agent's trusted runs, as many as it likes, do not hold back another agent's. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  requestOf,
} from '../support/domain-kit.ts'
import { approver } from '../support/principals.ts'

let dir: string
let kit: DomainKit
/** Runs under way, by their args; each ends when it is called. */
let ends: { readonly who: string; readonly end: () => void }[]

const start = async (maxConcurrent: number): Promise<void> => {
  await kit?.[Symbol.asyncDispose]()
  const sandbox = createScriptedSandbox(
    (order, _print, signal) =>
      new Promise((resolve) => {
        const end = (): void => resolve({})
        ends.push({ who: order.argsJson ?? '', end })
        signal.addEventListener('abort', end)
      }),
  )
  kit = await createDomainKit({ dir, sandbox, maxConcurrent })
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-starving-'))
  ends = []
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** An agent whose code is trusted with any args. */
async function trusted(name: string): Promise<(count?: number) => Promise<Execution[]>> {
  const agent: Agent = await addAgent(kit, name)
  const ask = () => kit.executions.submit(agent, requestOf({ skillId: name, argsJson: `"${name}"` }))
  const first = await ask()
  await kit.executions.decide(first.requestId, first.consentHash, 'forever_any', approver('7', 'Ann'))
  await expect.poll(() => ends.length).toBe(1)
  ends.shift()?.end()
  await expect
    .poll(async () => (await kit.storage.read((tx) => kit.executions.find(tx, first.requestId)))?.status)
    .toBe('success')
  return async (count = 1) => {
    const asked: Execution[] = []
    for (let n = 0; n < count; n++) asked.push(await ask())
    return asked
  }
}
const running = (): string[] => ends.map(({ who }) => JSON.parse(who))

describe('sixty trusted runs of one agent', () => {
  it('leave a place for another agent, whose run begins at once', async () => {
    await start(4)
    const busy = await trusted('busy')
    const other = await trusted('other')
    await busy(60)
    await expect.poll(running).toEqual(['busy', 'busy', 'busy'])
    await other()
    await expect.poll(running).toEqual(['busy', 'busy', 'busy', 'other'])
    // Its place is for others as long as the busy one has its share.
    ends.pop()?.end()
    await other()
    await expect.poll(running).toEqual(['busy', 'busy', 'busy', 'other'])
  })

  it('take turns with another agent where there is one place', async () => {
    await start(1)
    const busy = await trusted('busy')
    const other = await trusted('other')
    await busy(60)
    await expect.poll(running).toEqual(['busy'])
    await other(2)
    const order: string[] = []
    for (let n = 0; n < 5; n++) {
      await expect.poll(() => ends.length).toBe(1)
      order.push(...running())
      ends.shift()?.end()
    }
    expect(order).toEqual(['busy', 'busy', 'other', 'busy', 'other'])
  })

  it('are bounded: more of them are refused with a time to come back, and others are not', async () => {
    await start(2)
    const busy = await trusted('busy')
    const other = await trusted('other')
    await busy(101)
    await expect(busy()).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: expect.any(Number),
    })
    const [run] = await other()
    await expect
      .poll(
        async () =>
          (await kit.storage.read((tx) => kit.executions.find(tx, run?.requestId as never)))?.status,
      )
      .toBe('running')
  })

  it('are taken up in turns after a restart as well', async () => {
    await start(2)
    const busy = await trusted('busy')
    const other = await trusted('other')
    await busy(60)
    await expect.poll(running).toEqual(['busy'])
    await kit.runs.drain(0)
    await other()
    ends = []
    await start(2)
    await expect.poll(() => running().toSorted()).toEqual(['busy', 'other'])
  })
})
