import type {
  AnswerDetails,
  ApprovalChoices,
  ApprovalKind,
  createWaiting,
  Decider,
} from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import { appRequester, type Requesters } from '../../identity/index.ts'
import { AppError, type Clock, oneLine, type Tx } from '../../kernel/index.ts'
import { type AskingRun, callLines, callOutcome, statusText, subjectOf } from './call-lines.ts'
import type { ToolAnswer, ToolCall } from './ports.ts'
import { callHash, shownInput } from './tool-input.ts'

const MAX_REASON_LENGTH = 500

const CHOICES = [
  [
    { choice: 'once', label: '✅ Allow once', holds: 'once', gives: 'this call' },
    { choice: 'deny', label: '❌ Deny', holds: null, takesReason: true },
  ],
  [
    {
      choice: 'run',
      label: '🔁 Same call, this run',
      holds: 'once',
      scope: 'run',
      gives: 'this call and each with the same arguments until the run ends',
    },
  ],
] as const satisfies ApprovalChoices

/** A host is open to all of the run, or to none: there is no one call that a yes could be for. */
const HOST_CHOICES = [
  [
    {
      choice: 'run',
      label: '✅ Allow for this run',
      holds: 'once',
      gives: 'from everything in the container of this run, until it ends',
    },
    { choice: 'deny', label: '❌ Deny', holds: null, takesReason: true },
  ],
] as const satisfies ApprovalChoices

const choicesOf = ({ effect }: ToolCall): ApprovalChoices =>
  effect.kind === 'network' ? HOST_CHOICES : CHOICES

/** Whoever in this process waits for the answer. */
export interface CallsUnderWay {
  /** Undefined: nobody waits for the call any more. */
  askingOf(id: string): AskingRun | undefined
  readonly waiting: Pick<ReturnType<typeof createWaiting>, 'settled'>
}

/** The kind of approval that lets a run of an app use a tool which leaves its walls: bound to the call, byte for byte. */
export function createCallApproval(deps: {
  readonly underWay: CallsUnderWay
  readonly audit: Pick<AuditLog, 'append'>
  readonly requesters: Pick<Requesters, 'nameOf'>
  readonly clock: Clock
}): ApprovalKind<ToolCall, ToolAnswer> {
  const { audit, underWay } = deps
  const appOf = ({ appId }: ToolCall): string => deps.requesters.nameOf('app', appId)
  const write = async (
    tx: Tx,
    call: ToolCall,
    change: Pick<ToolCall, 'status' | 'choice' | 'denyReason'>,
    by: Decider | null,
  ): Promise<ToolCall> => {
    const settled = {
      ...{ ...call, ...change, endedAt: deps.clock.now() },
      ...{ decidedBy: by?.actor ?? null, decidedByName: by?.name ?? null },
    }
    await tx.toolCalls.settle(settled)
    underWay.waiting.settled(tx, call.id)
    return settled
  }
  return {
    name: 'run_tool_call',
    idPrefix: 'call_',
    idOf: ({ id }) => id,
    requesterOf: ({ appId }) => appRequester(appId),
    find: (tx, id) => tx.toolCalls.byId(id),
    idsBeginning: (tx, text) => tx.toolCalls.idsBeginning(text),
    async list(tx, { requester, ...filter }) {
      if (requester?.kind === 'agent') return []
      return await tx.toolCalls.list({ ...filter, ...(requester && { appId: requester.id }) })
    },
    countWaiting: async (tx, { kind, id }, now) =>
      kind === 'app' ? await tx.toolCalls.countWaiting(id, now) : 0,
    overdue: (tx, now) => tx.toolCalls.overdue(now),

    stateOf: ({ status }) => status,
    isWaiting: ({ status }) => status === 'pending',
    statusOf: ({ status }) => status,
    hasEnded: ({ status }) => status !== 'pending',
    contentHash: callHash,
    secretsOf: async (_tx, { effect }) => (effect.kind === 'request' ? effect.secrets : []),
    summary: ({ tool, effect }) =>
      effect.kind === 'network'
        ? ['host ', { name: effect.host }]
        : ['tool ', { name: oneLine(tool, 64) }, ...('host' in effect ? [', ', { name: effect.host }] : [])],

    choices: choicesOf,
    readAnswer,
    choiceOf: ({ choice }) => choice,
    auditOf: (call) => ({ requestId: null, data: about(call) }),
    nameOf: ({ choice }) => choice,

    assertGivable({ id }) {
      if (underWay.askingOf(id) === undefined)
        throw new AppError('invalid_request', 'The run that asked is over: nobody would use the answer.')
    },
    async settle(tx, call, { choice, denyReason }, by) {
      await audit.append(tx, 'tool_call.decided', by.actor, null, {
        ...{ ...by.record, ...about(call), decision: choice },
        ...(denyReason === null ? {} : { reason: denyReason }),
      })
      const status = choice === 'deny' ? 'denied' : 'approved'
      return await write(tx, call, { status, choice, denyReason }, by)
    },
    async end(tx, call, { to, by, why }) {
      await audit.append(tx, 'tool_call.ended', by?.actor ?? 'daemon', null, {
        ...{ ...about(call), status: to },
        ...(why === undefined ? {} : { why }),
      })
      return await write(tx, call, { status: to, choice: null, denyReason: null }, by)
    },

    card: async (_tx, call) => ({
      form: 'lines',
      lines: callLines(call, { app: appOf(call), asking: underWay.askingOf(call.id) }),
      ...(call.effect.kind === 'network'
        ? { question: `Let ${oneLine(appOf(call), 64)} reach ${subjectOf(call)}` }
        : {
            question: `Let ${oneLine(appOf(call), 64)} use ${oneLine(call.tool, 64)}`,
            text: { label: 'Arguments', text: shownInput(call.input) },
          }),
      choices: choicesOf(call),
    }),
    outcome: (call) => callOutcome(call, appOf(call)),
    acceptedText: (call) => `${oneLine(subjectOf(call), 64)}: ${statusText(call)}`,
    settledText: (call) => `Already ${statusText(call)}.`,
  }
}

/** For the audit. */
export const about = ({ id, appId, runId, tool, effect }: ToolCall) => ({
  ...{ call: id, app_id: appId, run: runId, tool },
  ...(effect.kind === 'network' ? { host: effect.host } : {}),
})

function readAnswer(choice: string, { reason, terms }: AnswerDetails): ToolAnswer | undefined {
  if (choice !== 'once' && choice !== 'run' && choice !== 'deny') return undefined
  if (terms !== null) throw new AppError('invalid_request', 'A tool call is allowed as it is, without terms.')
  if (reason !== null && choice !== 'deny')
    throw new AppError('invalid_request', 'A reason goes with a denial.')
  return { choice, denyReason: reason === null ? null : oneLine(reason, MAX_REASON_LENGTH) }
}
