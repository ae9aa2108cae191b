import { randomBytes } from 'node:crypto'
import { type Approvals, createWaiting, isOver } from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import { appActor, appRequester, type Requesters } from '../../identity/index.ts'
import { AppError, type Clock, oneLine, type Storage } from '../../kernel/index.ts'
import type { FreeSpace } from '../../retention/index.ts'
import type { OwnToolAnswer, OwnToolCall, ToolRequest, ToolVerdict } from '../index.ts'
import { about, createCallApproval } from './call-approval.ts'
import { type AskingRun, promptLines } from './call-lines.ts'
import { createOpenings } from './openings.ts'
import { readOwnRequest } from './own-request.ts'
import type { RunToolCalls, ToolCall, ToolCalls, ToolRun } from './ports.ts'
import type { RequestSender } from './request-sender.ts'
import { callHash, readInput, sameCall } from './tool-input.ts'
import { decideTool } from './tool-policy.ts'

/** Refused calls of one run that the audit is told of; a model that goes on asking writes no more. */
const MAX_REFUSALS_TOLD = 64
/** More than an installation has waiting. */
const ALL = 10_000

interface Deps {
  readonly approvals: Approvals
  readonly audit: Pick<AuditLog, 'append'>
  readonly requesters: Pick<Requesters, 'nameOf'>
  readonly storage: Storage
  readonly clock: Clock
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly lockdown: { assertOpen(): void }
  readonly sender: RequestSender
}

type Asked = Pick<ToolCall, 'tool' | 'input' | 'effect'>

export function createToolCalls(deps: Deps): ToolCalls {
  const { approvals, audit, storage, clock } = deps
  /** Of calls that somebody here waits for. */
  const asking = new Map<string, AskingRun>()
  const waiting = createWaiting()
  const underWay = { askingOf: (id: string) => asking.get(id), waiting }
  const requests = approvals.register(createCallApproval({ ...deps, underWay }))
  /** Closes what a run has open. */
  const live = new Set<() => void>()

  const cancel = (tx: Parameters<typeof requests.end>[0], call: ToolCall, why: string) =>
    requests.end(tx, call, { to: 'cancelled', by: null, why })

  /** Stores the question. Throws rate_limited, locked or storage_unavailable where nobody can be asked. */
  const ask = async (run: ToolRun, asked: Asked, id: string): Promise<ToolCall> => {
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
    return call
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

  const answerTo = async (run: ToolRun, asked: Asked, signal: AbortSignal): Promise<ToolCall> => {
    const id = `call_${randomBytes(16).toString('hex')}`
    asking.set(id, { prompt: promptLines(run.prompt), usesSeat: run.usesSeat })
    try {
      let call = await ask(run, asked, id)
      for (;;) {
        using place = waiting.enter(id)
        call = await look(id, signal)
        if (call.status !== 'pending') return call
        await place.wait(call.expiresAt - clock.now(), signal)
      }
    } finally {
      asking.delete(id)
    }
  }

  const begin = (run: ToolRun): RunToolCalls => {
    const over = new AbortController()
    const openings = createOpenings(run.egress)
    /** Requests that were allowed and not yet sent, by the use of the tool: each is sent once. */
    const permits = new Map<string, Asked>()
    const closeAll = (): void => {
      openings.closeAll()
      permits.clear()
    }
    live.add(closeAll)
    /** What a person allowed for the rest of the run. */
    const standing = new Set<string>()
    let told = 0

    const refuse = async (tool: string, message: string): Promise<ToolVerdict> => {
      told += 1
      if (told <= MAX_REFUSALS_TOLD) {
        const data = { app_id: run.appId, run: run.runId, tool: oneLine(tool, 128), message }
        await storage.transaction(
          (tx) => audit.append(tx, 'tool_call.refused', appActor(run.appId), null, data),
          'grouped',
        )
      }
      return denied(message)
    }

    const allow = (id: string, { tool, input, effect }: Asked): ToolVerdict => {
      deps.lockdown.assertOpen()
      if (over.signal.aborted) return denied(RUN_OVER)
      if (effect.kind === 'request') permits.set(id, { tool, input, effect })
      else openings.open(id, effect)
      // The arguments that the person saw, whatever the CLI holds by now.
      return { behavior: 'allow', updatedInput: JSON.parse(input) as Record<string, unknown> }
    }

    const byStanding = async (id: string, asked: Asked): Promise<ToolVerdict> => {
      deps.lockdown.assertOpen()
      const data = { app_id: run.appId, run: run.runId, tool: asked.tool }
      await storage.transaction(
        (tx) => audit.append(tx, 'tool_call.covered', appActor(run.appId), null, data),
        'grouped',
      )
      return allow(id, asked)
    }

    const request = async (
      { id: questionId, toolUseId, tool, input: given }: ToolRequest,
      signal: AbortSignal,
    ): Promise<ToolVerdict> => {
      // What is opened for a use that has no id of its own stays open until the run ends.
      const id = toolUseId ?? `question ${questionId}`
      const both = AbortSignal.any([signal, over.signal])
      if (both.aborted) return denied(RUN_OVER)
      const decision = decideTool(tool, given, run.tools)
      if (decision.decision === 'allow') return { behavior: 'allow' }
      if (decision.decision === 'deny') return await refuse(tool, decision.message)
      const { effect } = decision
      if (effect.kind === 'request') {
        const problem = await storage.read((tx) => deps.sender.problem(tx, effect))
        if (problem !== null) return await refuse(tool, problem)
      }
      if (effect.kind === 'host' && run.egress === null) return await refuse(tool, NO_WAY_OUT)
      const input = readInput(given)
      if (typeof input !== 'string') return await refuse(tool, `The arguments ${input.problem}.`)
      const asked = { tool, input, effect }
      if (standing.has(sameCall(asked))) return await byStanding(id, asked)
      const call = await answerTo(run, asked, both)
      if (call.status !== 'approved') return denied(messageOf(call))
      // No answer is acted on that a power cut may take.
      await storage.flushed()
      const verdict = allow(id, call)
      if (call.choice === 'run' && verdict.behavior === 'allow') standing.add(sameCall(call))
      return verdict
    }

    /** What comes is compared with what a person saw, byte for byte (TOCTOU): the container says both. */
    const use = async (
      { toolUseId, tool, input }: OwnToolCall,
      signal: AbortSignal,
    ): Promise<OwnToolAnswer> => {
      const permit = toolUseId === null ? undefined : permits.get(toolUseId)
      if (toolUseId !== null) permits.delete(toolUseId)
      if (permit === undefined || permit.tool !== tool || readInput(input) !== permit.input) {
        await refuse(tool, NOT_ALLOWED)
        return { isError: true, text: NOT_ALLOWED }
      }
      deps.lockdown.assertOpen()
      const request = readOwnRequest(input)
      if ('problem' in request) return { isError: true, text: `The request ${request.problem}.` }
      const text = await deps.sender.send(run, request, AbortSignal.any([signal, over.signal]))
      return { isError: false, text }
    }

    const close = (): void => {
      over.abort()
      closeAll()
      standing.clear()
      live.delete(closeAll)
    }
    return {
      request: (asked, signal) => request(asked, signal).catch(orDenied),
      use: (call, signal) => use(call, signal).catch(notSent),
      answered(id) {
        openings.close(id)
        permits.delete(id)
      },
      async ended(tx, by) {
        for (const call of await tx.toolCalls.list({ runId: run.runId, which: 'waiting', limit: ALL }))
          await requests.end(tx, call, { to: 'cancelled', by: { actor: by, name: null }, why: 'run over' })
        tx.onCommit(close)
      },
      [Symbol.dispose]: close,
    }
  }

  return {
    begin,
    async recover() {
      await storage.transaction(async (tx) => {
        for (const call of await tx.toolCalls.list({ which: 'waiting', limit: ALL }))
          await cancel(tx, call, 'daemon restarted')
      })
    },
    halt() {
      for (const closeAll of live) closeAll()
    },
  }
}

const denied = (message: string): ToolVerdict => ({ behavior: 'deny', message })

/** What an AppError says is for whoever asked; anything else is a defect, and denies as a throw. */
function orDenied(error: unknown): ToolVerdict {
  if (error instanceof AppError && ASKED_NOBODY.has(error.code))
    return denied(`Nobody can be asked now: ${error.message}`)
  throw error
}

/** Codes of what stands in the way of asking anybody. */
const ASKED_NOBODY: ReadonlySet<string> = new Set(['rate_limited', 'locked', 'storage_unavailable'])

/** The message of a connection names no value: the request held placeholders. */
const notSent = (error: unknown): OwnToolAnswer => ({
  isError: true,
  text: `There was no answer: ${oneLine(error instanceof Error ? error.message : 'unknown', 300)}`,
})

const NOT_ALLOWED = 'Nobody has allowed this very request, or it was sent already. Ask once more.'
const RUN_OVER = 'The run is over.'
const NO_WAY_OUT = 'This run has no way out to the network.'

/** For the model. */
function messageOf({ status, denyReason }: ToolCall): string {
  if (status === 'denied')
    return `A person said no${denyReason === null ? '.' : `: ${denyReason}`} Do not ask for the same again.`
  return status === 'expired'
    ? 'Nobody answered in time, so it is not allowed. Go on without it.'
    : 'The question was taken back, so it is not allowed.'
}
