import { randomBytes } from 'node:crypto'
import { type Approvals, createWaiting, isOver } from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import { type Actor, appActor, appRequester, type Requesters } from '../../identity/index.ts'
import { AppError, type Clock, type Storage, type Tx } from '../../kernel/index.ts'
import type { FreeSpace } from '../../retention/index.ts'
import { about, createCallApproval } from './call-approval.ts'
import { type AskingRun, promptLines } from './call-lines.ts'
import type { ToolCall, ToolRun } from './ports.ts'
import { callHash } from './tool-input.ts'

/** What a person is asked about: a use of a tool, or a host. */
export type Asked = Pick<ToolCall, 'tool' | 'input' | 'effect'>

/** What runs ask persons, from the row to the answer. */
export interface Questions {
  /**
   * Resolves to the call as it was settled, on disk or about to be (`storage.flushed`). `signal`: nobody waits for it any more, so
   * it is cancelled. Throws rate_limited, locked or storage_unavailable where nobody can be asked.
   */
  ask(run: ToolRun, asked: Asked, signal: AbortSignal): Promise<ToolCall>
  cancel(tx: Tx, call: ToolCall, why: string, by?: Actor): Promise<ToolCall>
}

export interface QuestionsDeps {
  readonly approvals: Approvals
  readonly audit: Pick<AuditLog, 'append'>
  readonly requesters: Pick<Requesters, 'nameOf'>
  readonly storage: Storage
  readonly clock: Clock
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
}

export function createQuestions(deps: QuestionsDeps): Questions {
  const { approvals, audit, storage, clock } = deps
  /** Of calls that somebody here waits for. */
  const asking = new Map<string, AskingRun>()
  const waiting = createWaiting()
  const underWay = { askingOf: (id: string) => asking.get(id), waiting }
  const requests = approvals.register(createCallApproval({ ...deps, underWay }))

  const cancel: Questions['cancel'] = (tx, call, why, by) =>
    requests.end(tx, call, { to: 'cancelled', by: by === undefined ? null : { actor: by, name: null }, why })

  const store = async (run: ToolRun, asked: Asked, id: string): Promise<void> => {
    const { runId, appId, promptSha256 } = run
    const call: ToolCall = {
      ...{ id, appId, runId, promptSha256, ...asked, status: 'pending', ...approvals.deadline() },
      ...{ choice: null, denyReason: null, endedAt: null, decidedBy: null, decidedByName: null },
    }
    const requester = appRequester(appId)
    using card = approvals.limit.card(requester)
    await storage.transaction(async (tx) => {
      deps.freeSpace.assertRoom()
      await approvals.limit.assertPlace(tx, requester)
      card.spend(tx)
      await tx.toolCalls.insert(call)
      await audit.append(tx, 'tool_call.asked', appActor(appId), null, {
        ...{ ...about(call), prompt_sha256: promptSha256, consent_hash: callHash(call) },
        ...{ effect: { ...call.effect }, input_bytes: Buffer.byteLength(call.input) },
      })
      await requests.requested(tx, call)
    }, 'grouped')
  }

  /** Ends what is over by now, or nobody waits for; any other stays as it is. */
  const look = (id: string, signal: AbortSignal): Promise<ToolCall> =>
    storage.transaction(async (tx) => {
      const call = await tx.toolCalls.byId(id)
      if (call === undefined) throw new AppError('not_found', 'No such call.')
      if (call.status !== 'pending') return call
      if (isOver(call, clock.now())) return await requests.end(tx, call, { to: 'expired', by: null })
      return signal.aborted ? await cancel(tx, call, 'nobody waits for it') : call
    }, 'grouped')

  return {
    cancel,
    async ask(run, asked, signal) {
      const id = `call_${randomBytes(16).toString('hex')}`
      asking.set(id, { prompt: promptLines(run.prompt), usesSeat: run.usesSeat })
      try {
        await store(run, asked, id)
        for (;;) {
          using place = waiting.enter(id)
          const call = await look(id, signal)
          if (call.status !== 'pending') return call
          await place.wait(call.expiresAt - clock.now(), signal)
        }
      } finally {
        asking.delete(id)
      }
    },
  }
}

/** Why nobody could be asked, for the model; anything else is a defect, and is thrown. */
export function whyNobodyAsked(error: unknown): string {
  if (error instanceof AppError && ASKED_NOBODY.has(error.code))
    return `Nobody can be asked now: ${error.message}`
  throw error
}

/** Codes of what stands in the way of asking anybody. */
const ASKED_NOBODY: ReadonlySet<string> = new Set(['rate_limited', 'locked', 'storage_unavailable'])

export const RUN_OVER = 'The run is over.'

/** Of a call that was not approved, for the model. */
export function messageOf({ status, denyReason }: ToolCall): string {
  if (status === 'denied')
    return `A person said no${denyReason === null ? '.' : `: ${denyReason}`} Do not ask for the same again.`
  return status === 'expired'
    ? 'Nobody answered in time, so it is not allowed. Go on without it.'
    : 'The question was taken back, so it is not allowed.'
}
