import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { addAgent, createScriptedSandbox, requestOf } from '../../test/support/domain-kit.ts'
import { APPROVER, TTL, useExecutions } from '../../test/support/executions-kit.ts'
import { asAgent } from '../../test/support/principals.ts'
import type { RequestId } from '../kernel/index.ts'
import type { Execution, ExecutionStatus } from './execution.ts'

const world = useExecutions()
const { submit, decide, final, orders, status, events, put, withSandbox, restart } = world

describe('a decision', () => {
  it('is taken once: a second one, and any other after it, is refused', async () => {
    const asked = await submit()
    expect((await decide(asked)).accepted).toBe(true)
    for (const decision of ['once', 'deny', 'forever'] as const) {
      expect(await decide(asked, decision)).toMatchObject({ accepted: false, reason: 'already_decided' })
    }
    await final(asked)
    expect(await decide(asked)).toMatchObject({ accepted: false, reason: 'already_decided' })
    expect(orders()).toHaveLength(1)
    expect(await world.kit.storage.read((tx) => world.kit.trust.list(tx))).toEqual([])
  })

  it('cannot turn a denial', async () => {
    const asked = await submit()
    expect(await decide(asked, 'deny')).toMatchObject({ accepted: true, subject: { status: 'denied' } })
    expect(await decide(asked, 'forever')).toMatchObject({ accepted: false, reason: 'already_decided' })
    expect(orders()).toHaveLength(0)
  })

  it('is bound to the consent that was shown', async () => {
    const asked = await submit()
    const other = await submit({ argsJson: '{}' })
    const forged = await world.kit.executions.decide(asked.requestId, other.consentHash, 'once', APPROVER)
    expect(forged).toMatchObject({ accepted: false, reason: 'other_consent' })
    expect(await status(asked)).toBe('pending')
    expect(await events(asked)).toContain('approval.refused')
  })

  it('comes too late at the very moment of the expiry', async () => {
    const asked = await submit()
    world.now += TTL
    expect(await decide(asked)).toMatchObject({
      accepted: false,
      reason: 'expired',
      subject: { status: 'expired' },
    })
    expect(await decide(asked)).toMatchObject({ accepted: false, reason: 'expired' })
    expect(orders()).toHaveLength(0)
  })

  it('for a request that is not there is an error', async () => {
    const attempt = world.kit.executions.decide('req_none' as RequestId, '', 'once', APPROVER)
    await expect(attempt).rejects.toMatchObject({ code: 'not_found' })
  })

  it('leaves nothing behind when it is rolled back', async () => {
    const asked = await submit()
    await expect(
      world.kit.storage.transaction(async (tx) => {
        await world.kit.approvals.choose(tx, asked.requestId, asked.consentHash, 'forever', APPROVER)
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    await sleep(20)
    expect([
      await status(asked),
      orders().length,
      (await world.kit.storage.read((tx) => world.kit.trust.list(tx))).length,
    ]).toEqual(['pending', 0, 0])
    expect((await decide(asked)).accepted).toBe(true)
  })
})

describe('missing secrets', () => {
  it('are waited for after the approval, and the run goes on by itself', async () => {
    const asked = await submit({ secrets: [{ name: 'A_KEY' }, { name: 'B_KEY' }] })
    expect(await decide(asked)).toMatchObject({ subject: { status: 'awaiting_secrets' } })
    await put('A_KEY', 'demo-value-aaaa')
    expect(await status(asked)).toBe('awaiting_secrets')
    await put('B_KEY', 'demo-value-bbbb')
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(orders()).toHaveLength(1)
  })

  it('can still be denied, cancelled or run out', async () => {
    const wait = async (argsJson: string): Promise<Execution> => {
      const asked = await submit({ secrets: [{ name: 'A_KEY' }], argsJson })
      await decide(asked)
      return asked
    }
    const [denied, cancelled, expired] = [await wait('{"a":1}'), await wait('{"a":2}'), await wait('{"a":3}')]
    expect((await decide(denied)).accepted).toBe(false)
    expect((await decide(denied, 'deny')).accepted).toBe(true)
    await world.kit.executions.cancel(asAgent(world.agent.id), cancelled.requestId)
    world.now += TTL
    await put('A_KEY')
    await world.kit.approvals.tick()
    expect([await status(denied), await status(cancelled), await status(expired)]).toEqual([
      'denied',
      'cancelled',
      'expired',
    ])
    expect(orders()).toHaveLength(0)
  })

  it('that come bound to other hosts than were approved keep code from running that would read them', async () => {
    const asked = await submit({ secrets: [{ name: 'A_KEY', mode: 'raw' }], network: ['evil.com'] })
    await decide(asked)
    await put('A_KEY', 'demo-value-aaaa', ['api.example.com'])
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'consent_stale' })
    expect(orders()).toHaveLength(0)
  })

  it('that come bound to fewer hosts keep code from running that would be refused in the middle', async () => {
    const network = ['api.example.com', 'evil.com']
    const asked = await submit({ secrets: [{ name: 'A_KEY' }], network })
    await decide(asked)
    await put('A_KEY', 'demo-value-aaaa', ['api.example.com'])
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'consent_stale' })
    expect(orders()).toHaveLength(0)
  })

  it('that come bound to more hosts go where was approved and nowhere else', async () => {
    const asked = await submit({ secrets: [{ name: 'A_KEY' }], network: ['api.example.com'] })
    await decide(asked)
    await put('A_KEY', 'demo-value-aaaa', ['api.example.com', 'evil.com'])
    expect(await final(asked)).toMatchObject({ status: 'success' })
    const policy = orders()[0]?.egress?.policy
    expect(policy?.secrets.map(({ hosts }) => hosts.map(({ host }) => host))).toEqual([['api.example.com']])
  })

  it('are waited for again when one is removed between the approval and the run', async () => {
    const gate = Promise.withResolvers<void>()
    await withSandbox(async () => {
      await gate.promise
      return {}
    })
    await put('A_KEY')
    const busy = await Promise.all([1, 2, 3, 4].map((n) => submit({ argsJson: `{"n":${n}}` })))
    for (const execution of busy) await decide(execution)
    const asked = await submit({ secrets: [{ name: 'A_KEY' }] })
    await decide(asked)
    await world.kit.vault.remove('A_KEY', 'cli:0')
    gate.resolve()
    await Promise.all(busy.map(final))
    await expect.poll(() => status(asked)).toBe('awaiting_secrets')
    await put('A_KEY')
    expect(await final(asked)).toMatchObject({ status: 'success' })
  })

  it('of a row whose consent is corrupt hold up nobody else', async () => {
    const [broken, whole] = [
      await submit({ secrets: [{ name: 'A_KEY' }] }),
      await submit({ secrets: [{ name: 'A_KEY' }], argsJson: '{}' }),
    ]
    await decide(broken)
    await decide(whole)
    world.kit.db.exec('DROP TRIGGER consents_no_update')
    world.kit.db
      .prepare("UPDATE consents SET text = replace(text, 'A_KEY', 'B_KEY') WHERE hash = ?")
      .run(broken.consentHash)
    await put('A_KEY')
    expect(await final(whole)).toMatchObject({ status: 'success' })
    expect(
      await world.kit.storage.read((tx) => world.kit.executions.find(tx, broken.requestId)),
    ).toMatchObject({
      status: 'failed',
      failure: 'not_startable',
    })
  })
})

describe('a cancellation', () => {
  it('ends what waits, again and again the same, and nothing that is decided otherwise', async () => {
    const asked = await submit()
    for (const _ of [1, 2])
      expect((await world.kit.executions.cancel(asAgent(world.agent.id), asked.requestId)).status).toBe(
        'cancelled',
      )
    expect(await decide(asked)).toMatchObject({ accepted: false, reason: 'already_decided' })
    const run = await submit({ argsJson: '{}' })
    await decide(run)
    await final(run)
    await expect(world.kit.executions.cancel(asAgent(world.agent.id), run.requestId)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    expect(orders()).toHaveLength(1)
  })

  it('of what is approved but queued keeps it from running; of what runs it is refused', async () => {
    const gate = Promise.withResolvers<void>()
    await withSandbox(async () => {
      await gate.promise
      return {}
    })
    const all = await Promise.all([1, 2, 3, 4, 5].map((n) => submit({ argsJson: `{"n":${n}}` })))
    for (const execution of all) await decide(execution)
    const states = () => Promise.all(all.map(status))
    await expect.poll(async () => (await states()).filter((state) => state === 'running').length).toBe(3)
    const reached = await states()
    const queued = all[reached.indexOf('approved')]
    const running = all[reached.indexOf('running')]
    if (!queued || !running) throw new Error('nothing is queued')
    await expect(world.kit.executions.cancel(asAgent(world.agent.id), running.requestId)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    await world.kit.executions.cancel(asAgent(world.agent.id), queued.requestId)
    gate.resolve()
    await Promise.all(all.map(final))
    await sleep(20)
    expect(orders()).toHaveLength(4)
    expect(await status(queued)).toBe('cancelled')
  })
})

describe('expiry and acknowledgement', () => {
  it('ends in one tick what nobody answered, and nothing earlier', async () => {
    const asked = await submit()
    world.now += TTL - 1
    await world.kit.approvals.tick()
    expect(await status(asked)).toBe('pending')
    world.now += 1
    await world.kit.approvals.tick()
    expect(
      await world.kit.storage.read((tx) => world.kit.executions.find(tx, asked.requestId)),
    ).toMatchObject({
      status: 'expired',
      finishedAt: world.now,
    })
    expect((await events(asked)).at(-1)).toBe('execution.expired')
  })

  it('acknowledges what is final, once', async () => {
    const asked = await submit()
    await expect(world.kit.executions.acknowledge(asAgent(world.agent.id), asked.requestId)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    await decide(asked, 'deny')
    for (const _ of [1, 2])
      expect((await world.kit.executions.acknowledge(asAgent(world.agent.id), asked.requestId)).ackedAt).toBe(
        world.now,
      )
    expect((await events(asked)).filter((event) => event === 'execution.acknowledged')).toHaveLength(1)
  })

  it('tells a follower of every transition, those of one moment too', async () => {
    await put('KEY')
    const asked = await submit({ secrets: [{ name: 'KEY' }] })
    const seen: ExecutionStatus[] = []
    const following = (async () => {
      for await (const { status } of world.kit.executions.follow(
        asked.requestId,
        new AbortController().signal,
      ))
        seen.push(status)
    })()
    await decide(asked)
    await following
    expect(seen).toEqual(['pending', 'approved', 'running', 'success'])
  })

  it('tells nobody of a transition that was undone', async () => {
    const asked = await submit()
    const seen: ExecutionStatus[] = []
    const leaving = new AbortController()
    const following = (async () => {
      for await (const { status } of world.kit.executions.follow(asked.requestId, leaving.signal))
        seen.push(status)
    })()
    await expect(
      world.kit.storage.transaction(async (tx) => {
        await world.kit.approvals.choose(tx, asked.requestId, asked.consentHash, 'deny', APPROVER)
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    await sleep(20)
    leaving.abort()
    await following
    expect(seen).toEqual(['pending'])
  })

  it('cancels what a revoked agent asked for and has not started', async () => {
    const other = await addAgent(world.kit, 'other-agent')
    const mine = await submit()
    const theirs = await world.kit.executions.submit(other, requestOf())
    await world.kit.agents.revoke(world.agent.name, 'cli:0')
    expect([await status(mine), await status(theirs)]).toEqual(['cancelled', 'pending'])
    expect(await decide(mine)).toMatchObject({ accepted: false, reason: 'already_decided' })
  })

  it('does not run under a grant that was revoked while it waited', async () => {
    await put('KEY')
    const first = await submit({ secrets: [{ name: 'KEY' }] })
    await decide(first, 'forever')
    await final(first)
    await world.kit.vault.remove('KEY', 'cli:0')
    const waiting = await submit({ secrets: [{ name: 'KEY' }] })
    expect(waiting).toMatchObject({ status: 'awaiting_secrets', trusted: true })
    const [grant] = await world.kit.storage.read((tx) => world.kit.trust.list(tx))
    await world.kit.trust.revoke(grant?.id ?? 0, 'cli:0')
    await put('KEY', 'demo-value-stored-anew')
    expect(await final(waiting)).toMatchObject({ status: 'failed', failure: 'trust_ended' })
  })

  it('opens no secret and writes no row again and again while it is known that no sandbox is there', async () => {
    let kind: 'docker' | 'unavailable' = 'docker'
    const sandbox = createScriptedSandbox()
    await restart({
      sandbox: { ...sandbox, status: async () => ({ ...(await sandbox.status()), kind }) },
    })
    await put('KEY')
    const asked = await submit({ secrets: [{ name: 'KEY' }] })
    kind = 'unavailable'
    await decide(asked)
    const rows = async () => (await Array.fromAsync(world.kit.audit.export())).length
    const before = await rows()
    await sleep(2_500)
    expect([await status(asked), await rows()]).toEqual(['approved', before])
    kind = 'docker'
    expect((await final(asked)).status).toBe('success')
  })

  it('asks a person only so often in an hour, also when it takes back what it asked', async () => {
    await restart({ maxWaitingPerAgent: 2 })
    const askAndCancel = async (n: number) =>
      await world.kit.executions.cancel(
        asAgent(world.agent.id),
        (await submit({ argsJson: `{"n":${n}}` })).requestId,
      )
    for (let n = 0; n < 6; n++) await askAndCancel(n)
    await expect(askAndCancel(6)).rejects.toMatchObject({ code: 'rate_limited' })
    world.now += 3_600_001
    await askAndCancel(7)
  })

  it('takes "any args" only where there were args to see', async () => {
    const bare = await submit()
    expect(await decide(bare, 'forever_any')).toMatchObject({ accepted: false, reason: 'not_offered' })
    expect(await status(bare)).toBe('pending')
  })

  it('wakes a waiting caller at the end, and lets one go that went away', async () => {
    const asked = await submit()
    const leaving = new AbortController()
    const left = world.kit.executions.wait(asked.requestId, 60_000, leaving.signal)
    leaving.abort()
    expect((await left).status).toBe('pending')
    expect((await world.kit.executions.wait(asked.requestId, 10, new AbortController().signal)).status).toBe(
      'pending',
    )
    const seen: string[] = []
    const following = (async () => {
      for await (const { status: state } of world.kit.executions.follow(
        asked.requestId,
        new AbortController().signal,
      ))
        seen.push(state)
    })()
    await decide(asked, 'deny')
    await following
    expect([seen.at(0), seen.at(-1)]).toEqual(['pending', 'denied'])
  })
})
