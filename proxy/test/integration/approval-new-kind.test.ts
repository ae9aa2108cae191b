import { expect, test } from 'vitest'
import type { ApprovalKind, ApprovalSubject } from '../../src/domain/approvals/index.ts'
import { AppError, type ConsentHash, sha256Hex } from '../../src/kernel/index.ts'
import { ANN, createTelegramKit, EVE } from '../support/telegram-kit.ts'

interface ToolCall extends ApprovalSubject {
  readonly id: string
  readonly tool: string
  readonly status: 'pending' | 'allowed' | 'denied' | 'expired'
}

/** A kind that no channel has heard of: its card and its effect, and nothing else. */
function toolCalls() {
  const calls = new Map<string, ToolCall>()
  const become = (call: ToolCall, status: ToolCall['status']): ToolCall => {
    const settled = { ...call, status }
    calls.set(call.id, settled)
    return settled
  }
  const kind: ApprovalKind<ToolCall, 'allow' | 'refuse'> = {
    idPrefix: 'tool_',
    find: (id) => calls.get(id),
    contentHash: ({ tool }) => sha256Hex(tool) as ConsentHash,
    countWaiting: (agentId, now) =>
      [...calls.values()].filter(
        (call) => call.agentId === agentId && call.status === 'pending' && call.expiresAt > now,
      ).length,
    isPending: ({ status }) => status === 'pending',
    readAnswer: (choice) => (choice === 'allow' || choice === 'refuse' ? choice : undefined),
    whyNotOffered: () => null,
    isOpenTo: ({ status }) => status === 'pending',
    hasExpired: ({ status }) => status === 'expired',
    expire: (call) => become(call, 'expired'),
    settle: (call, answer) => become(call, answer === 'allow' ? 'allowed' : 'denied'),
    auditOf: ({ id }) => ({ requestId: null, data: { call: id } }),
    nameOf: (answer) => answer,
    card: ({ tool }) => ({
      form: 'lines',
      lines: [
        ['🔧 ', { strong: 'May it call this tool?' }],
        ['Tool: ', { name: tool }],
      ],
      choices: [
        [
          { choice: 'allow', label: 'Allow' },
          { choice: 'refuse', label: 'Refuse' },
        ],
      ],
    }),
    outcomeLines: ({ tool, status }) => [[{ name: tool }, ` is ${status}`]],
    acceptedText: (_call, answer) => (answer === 'allow' ? 'Allowed' : 'Refused'),
    settledText: ({ status }) => `Already ${status}.`,
  }
  return { calls, kind }
}

async function startKit(options: Parameters<typeof createTelegramKit>[0] = {}) {
  const kit = await createTelegramKit(options)
  const { calls, kind } = toolCalls()
  const decisions = kit.approvals.register(kind)
  const call = (id: string, tool: string): void => {
    const agentId = kit.agentOf().id
    calls.set(id, { id, tool, agentId, status: 'pending', ...kit.approvals.deadline() })
    kit.transactor.transact(() => kit.outbox.enqueue('telegram:card', 'card', { requestId: id }))
    kit.telegram.nudge()
  }
  return {
    kit,
    calls,
    decisions,
    call,
    [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose](),
  }
}

test('a kind of approval that Telegram has never heard of is drawn, answered, audited and brought up to date', async () => {
  await using tools = await startKit()
  const { kit, calls } = tools
  tools.call('tool_1', 'rm <b>-rf</b>')
  const card = await kit.said('May it call this tool?')
  expect(card.text).toContain('Tool: rm <b>-rf</b>')
  expect(card.text).toContain('expires in 60 min')
  expect(card.buttons).toEqual([['Allow', 'Refuse']])
  await kit.double.waitFor(() => kit.outbox.waiting('telegram:') === 0, 'the record')
  expect(kit.audit.newest(1)[0]).toMatchObject({ event: 'approval.asked' })
  const press = (label: string, user = ANN) =>
    kit.double.press(kit.chatId, card.messageId, label, user).answered
  expect(await press('Allow', EVE)).toEqual({ text: 'Only approvers can answer.', alert: true })
  expect(calls.get('tool_1')?.status).toBe('pending')
  expect(await press('Allow')).toEqual({ text: 'Allowed', alert: false })
  expect(calls.get('tool_1')?.status).toBe('allowed')
  expect(await press('Refuse')).toEqual({ text: 'Already allowed.', alert: true })
  await kit.double.waitFor(() => card.edits > 0, 'the edit')
  expect(card.text).toBe('rm <b>-rf</b> is allowed')
  expect(card.buttons).toEqual([])
})

test('it is bound to what was shown, by whichever way the answer comes', async () => {
  await using tools = await startKit()
  const { kit, calls, decisions } = tools
  tools.call('tool_1', 'read')
  const card = await kit.said('May it call this tool?')
  const by = { actor: 'cli:0', name: null }
  const shown = kit.approvals.find('tool_1')?.contentHash ?? ''
  const call = calls.get('tool_1') as ToolCall
  calls.set('tool_1', { ...call, tool: 'write' })
  const pressed = await kit.double.press(kit.chatId, card.messageId, 'Allow', ANN).answered
  expect(pressed).toEqual({ text: 'This card is for another request.', alert: true })
  for (const outcome of [
    decisions.decide('tool_1', shown, 'allow', by),
    kit.approvals.choose('tool_1', shown, 'allow', by),
  ]) {
    expect(outcome).toMatchObject({ accepted: false, reason: 'other_consent' })
  }
  expect(kit.approvals.choose('tool_1', shown, 'forever', by)).toBeUndefined()
  expect(calls.get('tool_1')?.status).toBe('pending')
})

test('it takes a place among all that waits of its agent, and expires by the same rule', async () => {
  let now = Date.now()
  await using tools = await startKit({ maxWaitingPerAgent: 1, clock: { now: () => now } })
  const { kit, calls, decisions } = tools
  tools.call('tool_1', 'read')
  await expect(kit.submit()).rejects.toBeInstanceOf(AppError)
  const shown = kit.approvals.find('tool_1')?.contentHash ?? ''
  now += 3_600_000
  expect(kit.approvals.find('tool_1')?.isPending).toBe(false)
  const late = decisions.decide('tool_1', shown, 'allow', { actor: 'cli:0', name: null })
  expect(late).toMatchObject({ accepted: false, reason: 'expired' })
  expect(calls.get('tool_1')?.status).toBe('expired')
  expect((await kit.submit()).status).toBe('pending')
})
