import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createDomainKit, createScriptedSandbox, requestOf, untilEnded } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { approver } from '../support/principals.ts'

test('a run that begins by another grant than it was approved by is named when that one is revoked', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'oauth3-granted-'))
  const sandbox = createScriptedSandbox((_order, _print, signal) => untilEnded(signal))
  const kit = await createDomainKit({ dir, sandbox, maxConcurrent: 2 })
  const { agent } = await kit.agents.add({ name: 'busy' }, 'cli:0')
  const ann = approver('7', 'Ann')
  const ask = (n: number) =>
    kit.executions.submit(agent, requestOf({ skillId: 'one', argsJson: `{"n":${n}}` }))
  const handedOver = (count: number) =>
    expect.poll(() => sandbox.orders.length, { timeout: patience(10_000) }).toBe(count)
  const standing = () => kit.storage.read((tx) => kit.trust.list(tx))
  try {
    const first = await ask(1)
    await kit.executions.decide(first.requestId, first.consentHash, 'trust24h', ann)
    await handedOver(1)
    await kit.executions.stopAndWait(ann, first.requestId)
    const second = await ask(2)
    await kit.executions.decide(second.requestId, second.consentHash, 'forever_any', ann)
    await handedOver(2)
    // The agent's one place is taken.
    const covered = await ask(1)
    const approvedBy = Number(covered.decidedBy?.replace('grant:', ''))
    await kit.trust.revoke(approvedBy, 'cli:0')
    await kit.executions.stopAndWait(ann, second.requestId)
    await handedOver(3)
    const [other] = await standing()
    expect(other?.id).not.toBe(approvedBy)
    const used = (await kit.audit.newest(20)).filter(({ event }) => event === 'trust.used')
    expect(used.map(({ requestId, data }) => [requestId, JSON.parse(data).grant])).toEqual([
      [covered.requestId, other?.id],
      [covered.requestId, approvedBy],
    ])
    const revoked = await kit.trust.revoke(other?.id ?? 0, 'cli:0')
    const goOn = await kit.storage.read((tx) => kit.executions.runningBy(tx, revoked))
    expect(goOn.map(({ requestId }) => requestId)).toEqual([covered.requestId])
  } finally {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  }
})
