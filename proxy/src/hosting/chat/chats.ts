/** Conversations with machines: one turn of each at a time, in the order in which they were said, told live to all who follow. */
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  createEventLog,
  createOneAtATime,
  type LoggedEvent,
  type MachineId,
  type RequestId,
  type Tx,
} from '../../kernel/index.ts'
import { type AgentRun, createAgentRuns } from './agent-runs.ts'
import type { ChatLedger, OpenedTurn } from './chat-ledger.ts'
import { type LiveChat, type LiveTurn, MAX_ANSWER_CHARS, MAX_LOG_BYTES } from './live-turn.ts'

interface Said {
  readonly text: string
  readonly model: string
}

/**
 * Pieces of the answer to it: untrusted text. Ends early, by throwing, when the signal is aborted; `began` takes what its agent calls it.
 */
export type Answerer = (
  said: Said,
  signal: AbortSignal,
  began: (run: string) => void,
) => AsyncIterable<string>

/** Part of the unit that stores a turn of this number; where it throws there is no turn. */
export type Along = (tx: Tx, number: number) => Promise<void>

export type ChatEvent =
  | { readonly event: 'turn'; readonly data: OpenedTurn }
  | { readonly event: 'lost'; readonly data: { readonly up_to: number } }
  | LoggedEvent
  | { readonly event: 'end'; readonly id: 'end'; readonly data: OpenedTurn }

export interface Chats {
  /** Resolves when it is on disk, with what `along` stores; it is answered in its turn. Throws `rate_limited` where too many wait. */
  ask(machine: MachineId, said: Said, by: Actor, answer: Answerer, along?: Along): Promise<OpenedTurn>
  /** Resolves when it has ended; rejects with what it failed with, and with the signal's reason. */
  ended(machine: MachineId, number: number, signal: AbortSignal): Promise<OpenedTurn>
  /** The newest first, before a number. */
  history(machine: MachineId, before: number, limit: number): Promise<readonly OpenedTurn[]>
  /** First `turn`; then `begun`, pieces of `text` and uses of tools (`tool`, each as it stands then) behind the event `after`; `end` with all of it. Throws `not_found`. */
  follow(machine: MachineId, number: number, after: number, signal: AbortSignal): AsyncGenerator<ChatEvent>
  /** Resolves when it has ended, stopped or otherwise. Throws `refused` for one that nobody asked for. */
  stop(machine: MachineId, number: number): Promise<OpenedTurn>
  /** Passes an answer on, of which nothing is kept but that there was one; left early it was stopped. */
  unkept<End>(
    machine: MachineId,
    of: { readonly model: string | null; readonly messages: number },
    by: Actor,
    answer: () => AsyncGenerator<string, End>,
  ): AsyncGenerator<string, End>
  /**
   * What a machine has recorded of its agent's runs; `isFirst` of a connection. Those that nobody asked for become turns. Resolves when all of
   * it is told.
   */
  report(machine: MachineId, runs: readonly AgentRun[], isFirst: boolean): Promise<void>
  /** It stands still: no more comes of what nobody asked for. */
  rest(machine: MachineId): Promise<void>
  /** Nothing of it is kept. */
  forget(machine: MachineId): Promise<void>
  takeOver(live: ReadonlySet<MachineId>): Promise<void>
}

const MAX_WAITING = 8
const STOPPED = Symbol('stopped')

export function createChats(deps: {
  readonly ledger: ChatLedger
  /** Whose outcome woke an agent that fetched these: one of its own, or null. */
  readonly requestOf: (machine: MachineId, fetched: readonly string[]) => Promise<RequestId | null>
  readonly log: (message: string, error?: unknown) => void
}): Chats {
  const { ledger } = deps
  const live = new Map<MachineId, LiveChat>()
  const chatOf = (machine: MachineId): LiveChat => {
    const own = live.get(machine) ?? { turns: new Map(), inTurn: createOneAtATime(), waiting: 0 }
    live.set(machine, own)
    return own
  }
  const runs = createAgentRuns({ ...deps, chatOf })
  const liveTurn = (machine: MachineId, number: number): LiveTurn | undefined =>
    live.get(machine)?.turns.get(number)

  /** Never rejects: how it went is its end. */
  async function perform(
    live: LiveTurn,
    signal: AbortSignal,
    answer: Answerer,
  ): Promise<{ turn: OpenedTurn; error: unknown }> {
    const { begun, log } = live
    const { asked: text, model } = begun.turn
    const began = (run: string): void => {
      live.run = run
    }
    let said = ''
    let error: unknown
    try {
      signal.throwIfAborted()
      log.append('begun', { begun: true })
      for await (const piece of answer({ text, model }, signal, began)) {
        if (piece === '') continue
        said += piece
        if (said.length > MAX_ANSWER_CHARS) throw new AppError('too_large', 'Its answer is too long.')
        log.append('text', { text: piece })
      }
      signal.throwIfAborted()
    } catch (failure) {
      error = failure
    }
    const isStopped = error !== undefined && signal.reason === STOPPED
    const problem = error === undefined || isStopped ? null : problemOf(error)
    const state = error === undefined ? 'done' : isStopped ? 'stopped' : 'failed'
    if (problem === UNKNOWN) deps.log('a turn of a chat failed', error)
    const { run } = live
    const tools = [...live.tools.values()]
    const end = { state, answer: said.slice(0, MAX_ANSWER_CHARS), problem, tools, run } as const
    const turn = await begun.end(end).catch((failure: unknown): OpenedTurn => {
      // Its row says what it said before; the next daemon ends it.
      deps.log('the end of a turn of a chat could not be stored', failure)
      return { ...begun.turn, ...end, endedAt: begun.turn.createdAt }
    })
    return { turn, error: isStopped ? undefined : error }
  }

  return {
    async ask(machine, said, by, answer, along) {
      const own = chatOf(machine)
      if (own.waiting >= MAX_WAITING)
        throw new AppError('rate_limited', `${MAX_WAITING} messages wait for it already.`, {
          retryAfterSeconds: 10,
        })
      own.waiting += 1
      const begun = await ledger.begin(machine, said, by, along).catch((error: unknown) => {
        own.waiting -= 1
        throw error
      })
      const { number } = begun.turn
      const log = createEventLog(MAX_LOG_BYTES)
      const stopping = new AbortController()
      const { promise: ended, resolve } = Promise.withResolvers<Awaited<LiveTurn['ended']>>()
      const turn: LiveTurn = {
        ...{ begun, log, tools: new Map(), run: null, ended },
        stop: () => stopping.abort(STOPPED),
      }
      const once = createOnce(() =>
        perform(turn, stopping.signal, answer).then((end) => {
          own.turns.delete(number)
          own.waiting -= 1
          log.close()
          resolve(end)
        }),
      )
      own.turns.set(number, turn)
      void own.inTurn(once)
      // One that waits ends at once: it has nothing to wait for any more.
      stopping.signal.addEventListener('abort', () => void once(), { once: true })
      return begun.turn
    },

    async ended(machine, number, signal) {
      const one = liveTurn(machine, number)
      if (one === undefined) return await ledger.turn(machine, number)
      const gone = Promise.withResolvers<never>()
      const leave = (): void => gone.reject(signal.reason)
      if (signal.aborted) leave()
      signal.addEventListener('abort', leave, { once: true })
      try {
        const { turn, error } = await Promise.race([one.ended, gone.promise])
        if (error !== undefined) throw error
        return turn
      } finally {
        signal.removeEventListener('abort', leave)
      }
    },

    history: (machine, before, limit) => ledger.turns(machine, before, limit),

    async *follow(machine, number, after, signal) {
      const one = liveTurn(machine, number)
      const turn = one?.begun.turn ?? (await ledger.turn(machine, number))
      yield { event: 'turn', data: turn }
      if (one !== undefined)
        for await (const next of one.log.follow(after, signal))
          yield 'lostUpTo' in next ? { event: 'lost', data: { up_to: next.lostUpTo } } : next
      if (signal.aborted) return
      yield { event: 'end', id: 'end', data: one === undefined ? turn : (await one.ended).turn }
    },

    async stop(machine, number) {
      const one = liveTurn(machine, number)
      if (one === undefined) return await ledger.turn(machine, number)
      if (one.begun.turn.origin === 'woken')
        throw new AppError('refused', 'Nobody asked for this answer: it ends by itself, or with its machine.')
      one.stop()
      return (await one.ended).turn
    },

    async *unkept(machine, of, by, answer) {
      const asked = await ledger.unkept(machine, of, by)
      let state: 'done' | 'stopped' | 'failed' = 'stopped'
      let chars = 0
      const pieces = answer()
      try {
        for (;;) {
          const next = await pieces.next()
          if (next.done) {
            state = 'done'
            return next.value
          }
          chars += next.value.length
          yield next.value
        }
      } catch (error) {
        state = 'failed'
        throw error
      } finally {
        await pieces.return(undefined as never).catch(() => {})
        await asked
          .end(state, chars)
          .catch((error: unknown) => deps.log('the end of an answer could not be stored', error))
      }
    },

    async forget(machine) {
      await runs.forget(machine)
      const own = [...(live.get(machine)?.turns.values() ?? [])]
      for (const { stop } of own) stop()
      await Promise.all(own.map(({ ended }) => ended))
      live.delete(machine)
      await ledger.remove(machine)
    },

    report: runs.report,
    rest: runs.rest,

    takeOver: (machines) => ledger.takeOver(machines),
  }
}

function createOnce(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

const UNKNOWN = 'It failed.'
const problemOf = (error: unknown): string => (error instanceof AppError ? error.message : UNKNOWN)
