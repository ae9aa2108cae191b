/**
 * What machines record of their agents' runs: the tools of turns that are being answered, and turns that nobody asked for. A record is the
 * machine's word; it is heard again from its beginning whenever the connection to it is a new one.
 */
import {
  createEventLog,
  createOneAtATime,
  createTokenBuckets,
  type MachineId,
  type OneAtATime,
  type RequestId,
} from '../../kernel/index.ts'
import type { ChatLedger, OpenedTurn } from './chat-ledger.ts'
import { type LiveChat, type LiveTurn, MAX_ANSWER_CHARS, MAX_LOG_BYTES, tellTools } from './live-turn.ts'
import type { ToolCall } from './ports.ts'

/** One run of an agent, as far as it is recorded: untrusted, inert and bounded. */
export interface AgentRun {
  readonly id: string
  /** Nobody asked for it. */
  readonly isWoken: boolean
  readonly isOver: boolean
  readonly model: string
  readonly answer: string
  readonly tools: readonly ToolCall[]
  /** Ids of requests whose outcome it fetched. */
  readonly fetched: readonly string[]
}

interface WokenTurn extends LiveTurn {
  said: string
  finish(state: 'done' | 'stopped'): Promise<void>
}

/** Turns that nobody asked for are rows for good, in the audit too, and how many there are is the machine's to say. */
const WOKEN = { burst: 60, perSecond: 1 / 10 }
/** More than one record has. */
const MAX_KNOWN = 4_000

interface KnownRuns {
  readonly inTurn: OneAtATime
  /** Those heard of last are the last. */
  readonly ids: Set<string>
  /** By run. */
  readonly open: Map<string, WokenTurn>
}

export function createAgentRuns(deps: {
  readonly ledger: Pick<ChatLedger, 'beginWoken' | 'runs'>
  readonly chatOf: (machine: MachineId) => LiveChat
  /** Whose outcome woke an agent that fetched these: one of its own, or null. */
  readonly requestOf: (machine: MachineId, fetched: readonly string[]) => Promise<RequestId | null>
  readonly log: (message: string, error?: unknown) => void
}) {
  const known = new Map<MachineId, Promise<KnownRuns>>()
  const woken = createTokenBuckets(WOKEN)
  const knownOf = (machine: MachineId): Promise<KnownRuns> => {
    const loading =
      known.get(machine) ??
      deps.ledger
        .runs(machine)
        .then((ids) => ({ inTurn: createOneAtATime(), ids: new Set(ids), open: new Map() }))
    known.set(machine, loading)
    loading.catch(() => known.delete(machine))
    return loading
  }

  /** What is beyond it is in the agent's own record alone. */
  function mayBegin(machine: MachineId): boolean {
    if (woken.isOverdrawn(machine)) return false
    if (woken.take(machine, 1) > 0)
      deps.log(`machine ${machine} says more of itself than is kept; what comes now is left out`)
    return true
  }

  async function begin(machine: MachineId, run: AgentRun, own: KnownRuns): Promise<WokenTurn> {
    const requestId = await deps.requestOf(machine, run.fetched)
    const begun = await deps.ledger.beginWoken(machine, { run: run.id, requestId, model: run.model })
    const { turns } = deps.chatOf(machine)
    const { number } = begun.turn
    const { promise: ended, resolve } = Promise.withResolvers<Awaited<LiveTurn['ended']>>()
    const turn: WokenTurn = {
      ...{ begun, log: createEventLog(MAX_LOG_BYTES), tools: new Map(), run: run.id, ended, said: '' },
      stop: () => void turn.finish('stopped'),
      async finish(state) {
        if (!own.open.delete(run.id)) return void (await ended)
        const end = { state, answer: turn.said, problem: null, tools: [...turn.tools.values()], run: run.id }
        const last = await begun.end(end).catch((failure: unknown): OpenedTurn => {
          deps.log('the end of a turn of a chat could not be stored', failure)
          return { ...begun.turn, ...end, endedAt: begun.turn.createdAt }
        })
        turns.delete(number)
        turn.log.close()
        resolve({ turn: last, error: undefined })
      },
    }
    turn.log.append('begun', { begun: true })
    own.open.set(run.id, turn)
    turns.set(number, turn)
    return turn
  }

  function goOn(turn: WokenTurn, run: AgentRun): void {
    tellTools(turn, run.tools)
    const answer = run.answer.slice(0, MAX_ANSWER_CHARS)
    // What has slid out of the part of a record that is heard stays said.
    if (answer.length <= turn.said.length || !answer.startsWith(turn.said)) return
    turn.log.append('text', { text: answer.slice(turn.said.length) })
    turn.said = answer
  }

  async function take(
    machine: MachineId,
    runs: readonly AgentRun[],
    isFirst: boolean,
    own: KnownRuns,
  ): Promise<void> {
    const asked = [...deps.chatOf(machine).turns.values()]
    const told = new Set(runs.map(({ id }) => id))
    let isBehindKnown = false
    for (const run of runs) {
      const turn = asked.find((one) => one.run === run.id)
      if (turn !== undefined && !own.open.has(run.id)) tellTools(turn, run.tools)
      let one = own.open.get(run.id)
      // Of a record that is heard for the first time, what is over and behind nothing that is known is history.
      const isNews = !isFirst || isBehindKnown || !run.isOver
      if (run.isWoken && !own.ids.has(run.id) && isNews && mayBegin(machine)) {
        // A record has runs in their order: one that a new one has pushed out of it is over.
        for (const [id, last] of [...own.open]) if (!told.has(id)) await last.finish('done')
        one = await begin(machine, run, own)
      }
      isBehindKnown ||= own.ids.has(run.id) || turn !== undefined
      own.ids.delete(run.id)
      own.ids.add(run.id)
      if (one === undefined) continue
      goOn(one, run)
      if (run.isOver) await one.finish('done')
    }
    for (const id of own.ids) {
      if (own.ids.size <= MAX_KNOWN) break
      own.ids.delete(id)
    }
  }

  return {
    /** `isFirst`: of a connection. Resolves when all of it is told, and what is to be kept is. */
    async report(machine: MachineId, runs: readonly AgentRun[], isFirst: boolean): Promise<void> {
      const own = await knownOf(machine)
      await own.inTurn(() => take(machine, runs, isFirst, own))
    },
    /** It stands still: what was said by now is what was said. */
    async rest(machine: MachineId): Promise<void> {
      const own = await known.get(machine)
      await own?.inTurn(async () => {
        for (const turn of [...own.open.values()]) await turn.finish('done')
      })
    },
    async forget(machine: MachineId): Promise<void> {
      const own = await known.get(machine)
      known.delete(machine)
      await own?.inTurn(async () => {
        for (const turn of [...own.open.values()]) await turn.finish('stopped')
      })
    },
  }
}
