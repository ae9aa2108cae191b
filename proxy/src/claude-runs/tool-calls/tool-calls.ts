import { appActor } from '../../identity/index.ts'
import { oneLine } from '../../kernel/index.ts'
import type { OwnToolAnswer, OwnToolCall, ToolRequest, ToolVerdict } from '../index.ts'
import { createNetworkAsks, NETWORK } from './network-asks.ts'
import { createOpenings } from './openings.ts'
import { readOwnRequest } from './own-request.ts'
import type { RunToolCalls, ToolCalls, ToolRun } from './ports.ts'
import {
  type Asked,
  createQuestions,
  messageOf,
  type QuestionsDeps,
  RUN_OVER,
  whyNobodyAsked,
} from './questions.ts'
import type { RequestSender } from './request-sender.ts'
import { readInput, sameCall } from './tool-input.ts'
import { decideTool } from './tool-policy.ts'

/** Refused calls of one run that the audit is told of; a model that goes on asking writes no more. */
const MAX_REFUSALS_TOLD = 64
/** More than an installation has waiting. */
const ALL = 10_000

interface Deps extends QuestionsDeps {
  readonly lockdown: { assertOpen(): void }
  readonly sender: RequestSender
}

export function createToolCalls(deps: Deps): ToolCalls {
  const { audit, storage } = deps
  const questions = createQuestions(deps)
  /** Closes what a run has open. */
  const live = new Set<() => void>()

  const begin = (run: ToolRun): RunToolCalls => {
    const over = new AbortController()
    const openings = createOpenings(run.egress)
    /** Requests that were allowed and not yet sent, by the use of the tool: each is sent once. */
    const permits = new Map<string, Asked>()
    /** Hosts that commands may reach; never closed by what the CLI says of its tools. */
    const hosts = createOpenings(run.egress)
    const closeAll = (): void => {
      openings.closeAll()
      hosts.closeAll()
      permits.clear()
    }
    /** Everything stops: what is under way too, and hosts that were open from the beginning. */
    const halt = (): void => {
      closeAll()
      run.egress?.cut()
    }
    live.add(halt)
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

    if (run.asksForHosts)
      run.egress?.askThrough(
        createNetworkAsks({
          ...{ ...deps, run, questions, openings: hosts, over: over.signal },
          refuse: (message) => refuse(NETWORK, message),
        }),
      )

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
        const notGiven = effect.secrets.find((name) => run.secrets !== null && !run.secrets.includes(name))
        if (notGiven !== undefined) return await refuse(tool, notForApp(notGiven))
        const problem = await storage.read((tx) => deps.sender.problem(tx, effect))
        if (problem !== null) return await refuse(tool, problem)
      }
      if (effect.kind === 'host' && run.egress === null) return await refuse(tool, NO_WAY_OUT)
      const input = readInput(given)
      if (typeof input !== 'string') return await refuse(tool, `The arguments ${input.problem}.`)
      const asked = { tool, input, effect }
      if (standing.has(sameCall(asked))) return await byStanding(id, asked)
      const call = await questions.ask(run, asked, both)
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
      live.delete(halt)
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
          await questions.cancel(tx, call, 'run over', by)
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
          await questions.cancel(tx, call, 'daemon restarted')
      })
    },
    halt() {
      for (const halt of live) halt()
    },
  }
}

const denied = (message: string): ToolVerdict => ({ behavior: 'deny', message })

const orDenied = (error: unknown): ToolVerdict => denied(whyNobodyAsked(error))

/** The message of a connection names no value: the request held placeholders. */
const notSent = (error: unknown): OwnToolAnswer => ({
  isError: true,
  text: `There was no answer: ${oneLine(error instanceof Error ? error.message : 'unknown', 300)}`,
})

const NOT_ALLOWED = 'Nobody has allowed this very request, or it was sent already. Ask once more.'
/** The same whether there is such a secret or not. */
const notForApp = (name: string): string =>
  `The owner of this app has not let its runs ask for the secret ${name}.`
const NO_WAY_OUT = 'This run has no way out to the network.'
