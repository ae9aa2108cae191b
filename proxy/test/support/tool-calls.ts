import type { ApprovalKind, ApprovalState, ApprovalSubject, Approvals } from '../../src/approvals/index.ts'
import { agentRequester } from '../../src/identity/index.ts'
import { type AgentId, type ConsentHash, type Storage, sha256Hex } from '../../src/kernel/index.ts'

export interface ToolCall extends ApprovalSubject {
  readonly id: string
  readonly agentId: AgentId
  readonly tool: string
  readonly status: ApprovalState
}

/** A kind of approval that no channel has heard of: its card and its effect, and nothing else. Its rows stand in memory. */
export function createToolCalls(deps: { readonly approvals: Approvals; readonly storage: Storage }) {
  const calls = new Map<string, ToolCall>()
  const become = (call: ToolCall, status: ToolCall['status']): ToolCall => {
    const settled = { ...call, status }
    calls.set(call.id, settled)
    return settled
  }
  const waiting = (): ToolCall[] => [...calls.values()].filter(({ status }) => status === 'pending')
  const kind: ApprovalKind<ToolCall, 'allow' | 'refuse'> = {
    name: 'tool_call',
    idPrefix: 'tool_',
    idOf: ({ id }) => id,
    requesterOf: ({ agentId }) => agentRequester(agentId),
    find: async (_tx, id) => calls.get(id),
    idsBeginning: async (_tx, text) => [...calls.keys()].filter((id) => id.startsWith(text)).slice(0, 2),
    list: async (_tx, { requester, which }) =>
      (which === 'waiting' ? waiting() : [...calls.values()]).filter(
        (call) => requester === undefined || call.agentId === requester.id,
      ),
    countWaiting: async (_tx, { id }, now) =>
      waiting().filter((call) => call.agentId === id && call.expiresAt > now).length,
    overdue: async (_tx, now) => waiting().filter(({ expiresAt }) => expiresAt <= now),
    stateOf: ({ status }) => status,
    isWaiting: ({ status }) => status === 'pending',
    statusOf: ({ status }) => status,
    hasEnded: ({ status }) => status !== 'pending',
    contentHash: ({ tool }) => sha256Hex(tool) as ConsentHash,
    summary: ({ tool }) => ['tool ', { name: tool }],
    choices: () => [
      [
        { choice: 'allow', label: 'Allow', holds: 'once' },
        { choice: 'refuse', label: 'Refuse', holds: null },
      ],
    ],
    readAnswer: (choice) => (choice === 'allow' || choice === 'refuse' ? choice : undefined),
    choiceOf: (answer) => answer,
    settle: async (_tx, call, answer) => become(call, answer === 'allow' ? 'approved' : 'denied'),
    end: async (_tx, call, { to }) => become(call, to),
    auditOf: ({ id }) => ({ requestId: null, data: { call: id } }),
    nameOf: (answer) => answer,
    async card(_tx, call) {
      const lines = [
        ['🔧 ', { strong: 'May it call this tool?' }],
        ['Tool: ', { name: call.tool }],
      ]
      return { form: 'lines', lines, question: 'Let it call the tool', choices: kind.choices(call) }
    },
    outcome: ({ tool, status }) => ({ lines: [[{ name: tool }, ` is ${status}`]] }),
    acceptedText: (_call, answer) => (answer === 'allow' ? 'Allowed' : 'Refused'),
    settledText: ({ status }) => `Already ${status}.`,
  }
  const decisions = deps.approvals.register(kind)
  return {
    calls,
    decisions,
    async call(id: string, tool: string, agentId: AgentId): Promise<void> {
      const call: ToolCall = { id, tool, agentId, status: 'pending', ...deps.approvals.deadline() }
      calls.set(id, call)
      await deps.storage.transaction((tx) => decisions.requested(tx, call))
    },
  }
}
