import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuditSubjects, type Execution } from '../../src/executions/index.ts'
import { AppError, SecretValue, type UnixMs } from '../../src/kernel/index.ts'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import { collect } from '../support/collect.ts'
import { approver, asAgent, owner } from '../support/principals.ts'
import { ANN, createTelegramKit, EVE, UNHURRIED } from '../support/telegram-kit.ts'

const HOUR = 3_600_000
const NEVER = new AbortController().signal
const PERSON = owner('0', 'root')

type Kit = Awaited<ReturnType<typeof createTelegramKit>>
let kit: Kit
let now: UnixMs
const open = async (options: Parameters<typeof createTelegramKit>[0] = {}): Promise<void> => {
  kit = await createTelegramKit({ clock: { now: () => now }, approvalTtlMs: HOUR, ...options })
}
beforeEach(() => {
  now = 1_793_000_000_000
})
afterEach(() => kit[Symbol.asyncDispose]())

async function expired(request: Parameters<Kit['submit']>[0] = {}): Promise<Execution> {
  const { execution } = await kit.ask(request)
  await sent()
  now += HOUR
  await kit.approvals.tick()
  return await kit.find(execution)
}
/** The record that the chat has what was queued. */
const sent = () => kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
const again = (
  { requestId, consentHash }: Execution,
  by: Parameters<Kit['approvals']['askAgain']>[3] = PERSON,
) => kit.storage.transaction((tx) => kit.approvals.askAgain(tx, requestId, consentHash, by))
const newest = async (): Promise<Execution> => {
  const [row] = await kit.storage.read((tx) => kit.executions.list(tx, { limit: 1 }))
  return await kit.find(row as unknown as Execution)
}
const buttonsIn = (text: string) =>
  kit.double.messages
    .filter((message) => message.text.includes(text))
    .flatMap(({ buttons }) => buttons.flat())
const decided = (execution: Execution) =>
  kit.executions.decide(execution.requestId, execution.consentHash, 'once', PERSON)

describe('what retention has dropped', () => {
  it('is found in the audit by its secret, host and agent as before, and nothing of its content is', async () => {
    await open()
    const value = new SecretValue('demo-value-of-a-dropped-one')
    const hosts = ['dropped.example.com']
    await kit.storage.transaction((tx) => kit.vault.put(tx, 'DROPPED_KEY', value, { hosts, actor: 'cli:0' }))
    const secrets = [{ name: 'DROPPED_KEY' }]
    const old = await expired({ secrets, network: hosts, code: '"code-of-a-dropped-one"' })
    await again(old)
    const fresh = await newest()
    await kit.executions.decide(fresh.requestId, fresh.consentHash, 'deny', PERSON)
    const ids = [old.requestId, fresh.requestId]
    const ANY = { agentIds: null, event: null, secret: null, host: null, requestId: null }
    const found = async (filter: object) => {
      const page = { before: Number.MAX_SAFE_INTEGER, limit: 1_000 }
      const all = { ...ANY, since: null, until: null, ...filter }
      const { rows } = await kit.audit.search(all, page, createAuditSubjects(kit.executions))
      return rows.flatMap(({ id, event, requestId }) =>
        ids.some((one) => one === requestId) ? [`${id} ${event}`] : [],
      )
    }
    const filters = [
      { secret: 'DROPPED_KEY' },
      { host: 'dropped.example.com' },
      { agentIds: new Set([old.agentId]) },
    ]
    const all = await Promise.all(filters.map(found))
    expect(all[0]?.join()).toMatch(
      /approval\.decided.*request\.received.*execution\.expired.*request\.received/,
    )
    await kit.ask({ code: 'newer' })
    now += 400 * 24 * HOUR
    await sent()
    await kit.retention.prune({ olderThanMs: 0, maxBytes: null }, 'cli:0', 60_000)
    for (const id of ids) expect(await kit.storage.read((tx) => kit.executions.find(tx, id))).toBeUndefined()
    expect(await Promise.all(filters.map(found))).toEqual(all)
    expect(await found({ secret: 'OTHER_KEY' })).toEqual([])
    expect(JSON.stringify(await collect(kit.audit.export()))).not.toContain('code-of-a-dropped-one')
  })
})

describe('what nobody answered', () => {
  it('is asked once more by one tap: the same consent, another id, a time of its own, and no yes by itself', async () => {
    await open()
    const old = await expired()
    expect(old.status).toBe('expired')
    const message = await kit.said('Expired')
    await sent()
    const press = kit.double.press(kit.chatId, message.messageId, '🔁 Ask again', ANN)
    expect((await press.answered).text).toContain('Asked again')
    const fresh = await newest()
    expect(fresh).toMatchObject({
      ...{ status: 'pending', trusted: false, consentHash: old.consentHash, consentJson: old.consentJson },
      ...{ agentId: old.agentId, againOf: old.requestId, createdAt: now, expiresAt: now + HOUR },
    })
    expect(fresh.requestId).not.toBe(old.requestId)
    expect((await kit.find(old)).supersededBy).toBe(fresh.requestId)
    await kit.double.waitFor(
      () => message.text.includes(fresh.requestId),
      'the old card to name the new request',
    )
    expect(message.buttons).toEqual([])
    expect(await decided(fresh)).toMatchObject({ accepted: true })
    expect((await kit.executions.wait(fresh.requestId, 5_000, NEVER)).status).toBe('success')
  })

  it('is asked once more once, however many press at once', async () => {
    await open()
    const old = await expired()
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => again(old)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const said = all.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []))
    expect(new Set(said)).toEqual(new Set([`It was asked again already, as ${(await newest()).requestId}.`]))
  })

  it('may be asked once more by no agent, no stranger, and under no other hash', async () => {
    await open()
    const old = await expired()
    expect(await again(old, asAgent(old.agentId))).toMatchObject({ accepted: false, reason: 'not_permitted' })
    expect(await again({ ...old, consentHash: 'f'.repeat(64) as never })).toMatchObject({
      accepted: false,
      reason: 'other_consent',
    })
    const message = await kit.said('Expired')
    await sent()
    const press = kit.double.press(kit.chatId, message.messageId, '🔁 Ask again', EVE)
    expect((await press.answered).text).toContain('Only approvers')
    expect((await kit.find(old)).supersededBy).toBeNull()
    const refused = (await kit.audit.newest(50)).filter(({ event }) => event === 'approval.refused')
    expect(refused.map(({ data }) => JSON.parse(data).reason).sort()).toEqual([
      'not_approver',
      'not_permitted',
      'other_consent',
    ])
    expect(await again(old, approver(String(ANN.id), 'Ann'))).toMatchObject({ accepted: true })
  })

  it('is not asked once more while it waits, nor when it was denied, cancelled or run', async () => {
    await open()
    const { execution: waits } = await kit.ask({ skillId: 'waits' })
    const denied = await kit.submit({ skillId: 'denied' })
    await kit.executions.decide(denied.requestId, denied.consentHash, 'deny', PERSON)
    const cancelled = await kit.submit({ skillId: 'cancelled' })
    await kit.executions.cancel(asAgent(cancelled.agentId), cancelled.requestId)
    const ran = await kit.submit({ skillId: 'ran' })
    await decided(ran)
    await kit.executions.wait(ran.requestId, 5_000, NEVER)
    for (const execution of [waits, denied, cancelled, ran])
      await expect(again(execution)).rejects.toThrow('Only what nobody answered is asked again')
    expect(buttonsIn('Denied')).toEqual([])
  })

  it('leaves an agent that polls the old id knowing the new one', async () => {
    await open()
    const old = await expired()
    const outcome = await again(old)
    const { viewOf } = await import('../../src/executions/agent-routes/views.ts')
    expect(viewOf(await kit.find(old))).toMatchObject({
      ...{ status: 'expired', superseded_by: outcome.accepted && outcome.id },
      message: expect.stringContaining((outcome.accepted && outcome.id) || '?'),
    })
    expect(viewOf(await newest())).toMatchObject({ status: 'pending', again_of: old.requestId })
  })

  it('of a revoked agent, and of one whose places are full, is refused with the reason', async () => {
    await open({ maxWaitingPerAgent: 2 })
    const old = await expired()
    await kit.submit({ skillId: 'one' })
    await kit.submit({ skillId: 'two' })
    await expect(again(old)).rejects.toMatchObject({ code: 'rate_limited' })
    await kit.agents.revoke('demo-agent', 'cli:0')
    await expect(again(old)).rejects.toThrow('Its agent was revoked')
    expect((await kit.find(old)).supersededBy).toBeNull()
  })

  it('that its agent asks anew by itself is not asked twice', async () => {
    await open()
    const old = await expired()
    const fresh = await kit.submit()
    await expect(again(old)).rejects.toThrow(`Its agent asks the same already, as ${fresh.requestId}.`)
  })

  it('whose secret goes to other hosts by now, or whose code is gone, has to be asked anew', async () => {
    await open()
    const put = (hosts: string[]) =>
      kit.storage.transaction((tx) =>
        kit.vault.put(tx, 'API_KEY', new SecretValue('a-value-of-a-secret'), { hosts, actor: 'cli:0' }),
      )
    await put(['api.example.com'])
    const old = await expired({ secrets: [{ name: 'API_KEY' }], network: ['api.example.com'] })
    await put(['other.example.com'])
    await expect(again(old)).rejects.toThrow('API_KEY is bound to other hosts by now')
    await put(['api.example.com'])
    kit.db.prepare('DELETE FROM content_holders').run()
    await expect(again(old)).rejects.toThrow('Its code is no longer kept')
    expect(await kit.storage.read((tx) => kit.executions.list(tx, { limit: 9 }))).toHaveLength(1)
  })

  it('keeps its code for a day, and for no longer', async () => {
    await open({ retention: { codeMs: HOUR } })
    const old = await expired()
    const held = () => kit.db.prepare('SELECT count(*) FROM content_holders').pluck().get()
    await kit.upkeep.nudge()
    expect(held()).toBe(1)
    now += 25 * HOUR
    const other = await expired({ skillId: 'other', code: '// other\n' })
    await kit.storage.transaction((tx) =>
      tx.contents.releaseNext(undefined, 100, { ran: now - HOUR, expired: now - 24 * HOUR }),
    )
    expect(held()).toBe(1)
    await expect(again(old)).rejects.toThrow('Its code is no longer kept')
    expect(await again(other)).toMatchObject({ accepted: true })
  })

  it('is not approved by a grant that covers it by now', async () => {
    await open()
    const old = await expired()
    const twin = await kit.submit({ description: 'another' })
    await kit.executions.decide(twin.requestId, twin.consentHash, 'forever', PERSON)
    await kit.executions.wait(twin.requestId, 5_000, NEVER)
    await again(old)
    expect(await newest()).toMatchObject({ status: 'pending', trusted: false })
  })

  it('of a provider is asked once more as well', async () => {
    await open()
    const { ask } = await kit.wants()
    await sent()
    now += HOUR
    await kit.approvals.tick()
    const message = await kit.said('Expired')
    await sent()
    await kit.double.press(kit.chatId, message.messageId, '🔁 Ask again', ANN).answered
    const [fresh] = await kit.storage.read((tx) => kit.llm.access.pending(tx))
    expect(fresh).toMatchObject({ againOf: ask.id, provider: 'openai', model: 'gpt-5', agentId: ask.agentId })
    const hash = kit.llm.access.contentHash(ask)
    await expect(
      kit.storage.transaction((tx) => kit.approvals.askAgain(tx, ask.id, hash, PERSON)),
    ).rejects.toThrow(AppError)
  })
})

describe('what waits with a quarter of its time left', () => {
  const reminders = () =>
    kit.double.messages.filter(({ text }) => text.includes('Still waiting for your answer'))

  it('is told of once, also when the daemon begins anew; what was answered is not told of', async () => {
    await using double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    await open({ double })
    const { execution, card } = await kit.ask()
    const answered = await kit.submit({ skillId: 'answered' })
    const { ask } = await kit.wants()
    await kit.executions.decide(answered.requestId, answered.consentHash, 'deny', PERSON)
    await sent()
    now += HOUR * 0.75 - 1
    await kit.approvals.tick()
    await sent()
    expect(reminders()).toEqual([])
    now += 1
    await kit.approvals.tick()
    await kit.approvals.tick()
    await sent()
    expect(reminders()).toHaveLength(2)
    expect(reminders().some(({ text }) => text.includes(execution.requestId))).toBe(true)
    expect(reminders().some(({ text }) => text.includes(ask.id))).toBe(true)
    expect(card.buttons.length).toBeGreaterThan(0)
    expect((await kit.find(execution)).remindedAt).toBe(now)
    expect((await kit.find(answered)).remindedAt).toBeNull()
    const told = (await collect(kit.audit.export())).filter(({ event }) => event === 'approval.reminded')
    expect(told.map(({ actor, at, requestId }) => [actor, at, requestId])).toEqual([
      ['daemon', now, null],
      ['daemon', now, execution.requestId],
    ])
    expect(told[0]?.data).toContain(ask.id)
    await kit[Symbol.asyncDispose]()
    await open({ double, dir: kit.dir })
    await kit.approvals.tick()
    await sent()
    expect(reminders()).toHaveLength(2)
  })

  it('is told of by one message where an agent has many, behind every card', async () => {
    await open({ start: false })
    for (let at = 0; at < 6; at += 1) await kit.submit({ skillId: `skill-${at}` })
    now += HOUR * 0.8
    await kit.approvals.tick()
    await kit.submit({ skillId: 'comes-last' })
    kit.telegram.start()
    await sent()
    const texts = kit.double.messages.map(({ text }) => text)
    const folded = texts.findIndex((text) => text.includes('6 still wait for an answer'))
    expect(folded).toBe(texts.length - 1)
    expect(texts.findIndex((text) => text.includes('comes-last'))).toBeLessThan(folded)
    expect(reminders()).toEqual([])
  })

  it('is not told of any more once it is answered before the chat takes it', async () => {
    await open()
    const { execution } = await kit.ask()
    await sent()
    now += HOUR * 0.8
    await kit.storage.transaction(async (tx) => {
      await kit.outbox.enqueue(tx, `telegram:${kit.chatId}/notice/${execution.agentId}`, 'reminder', {
        requestId: execution.requestId,
      })
      await tx.executions.update({ ...execution, status: 'denied' })
    })
    await sent()
    expect(reminders()).toEqual([])
  })
})
