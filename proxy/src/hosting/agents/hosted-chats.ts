/** What is said to hosted agents, and what they answer: their conversations, and requests that keep none. */
import type { Duplex } from 'node:stream'
import { type Actor, actorOf, type Principal } from '../../identity/index.ts'
import { AppError, type MachineId } from '../../kernel/index.ts'
import type { Along, Answerer, ChatEvent, Chats, OpenedTurn } from '../chat/index.ts'
import type { Machine } from '../machines/index.ts'
import type { ControlLink } from './control-link.ts'
import { askGateway, type GatewayEnd, type GatewayRequest, MAIN_SESSION } from './gateway-chat.ts'
import { readRecord } from './session-watch.ts'

export interface HostedChats {
  /** Resolves when it is stored; it is answered in its turn, whoever stays. `model` left out: the machine's own. */
  say(
    name: string,
    said: { readonly text: string; readonly model?: string | undefined },
    by: Principal,
  ): Promise<OpenedTurn>
  /** As `say`, of whoever a channel vouches for. */
  sayFor(name: string, text: string, by: Actor, along: Along): Promise<OpenedTurn>
  /** Those before a number, the newest first; wakes nobody. */
  turns(name: string, before: number, limit: number): Promise<readonly OpenedTurn[]>
  /** Throws `not_found`. */
  followTurn(name: string, number: number, after: number, signal: AbortSignal): AsyncGenerator<ChatEvent>
  stopTurn(name: string, number: number): Promise<OpenedTurn>
  /** One request, of which nothing is kept but rows of the audit: pieces of its answer, and how it ended. `model` is one of its provider's. */
  complete(
    name: string,
    request: Omit<GatewayRequest, 'session'>,
    by: Principal,
    signal: AbortSignal,
  ): AsyncGenerator<string, GatewayEnd>
  /** Wakes it, and resolves to a connection. Throws `not_found`, `refused`, `sandbox_unavailable`. */
  openGateway(name: string, signal: AbortSignal): Promise<GatewayConnection>
}

/** To a hosted agent's own gateway. */
export interface GatewayConnection {
  readonly stream: Duplex
  /** What the gateway asks of whoever comes; it goes nowhere but there. */
  readonly gatewayToken: string
  /** Somebody said something: it is awake for that, or wakes. */
  used(): void
}

/** A machine that is awake, and is held so until disposed of. */
export interface LinkedMachine extends Disposable {
  readonly machine: Machine
  readonly link: ControlLink
  /** The caller's signal, or a lockdown. */
  readonly until: AbortSignal
}

const TURN_MS = 600_000
const WAKE_MS = 60_000
const RECORD_MS = 10_000

export function createHostedChats(deps: {
  readonly chats: () => Promise<Chats>
  /** Throws `not_found`. */
  readonly find: (name: string) => Promise<Machine>
  /** Throws where nobody may speak to it now, by that model; undefined: its own. */
  readonly admit: (name: string, model: string | undefined, by: Actor) => Promise<Machine>
  readonly open: (name: string, signal: AbortSignal) => Promise<LinkedMachine>
  /** Its conversation has begun, or goes on. */
  readonly spoke: (machine: MachineId) => void
}): HostedChats & { forget(machine: MachineId): Promise<void> } {
  const { find, admit, open } = deps

  /** What was recorded by now; it comes by the watch too, and later. */
  async function hear({ machine, link, until }: LinkedMachine): Promise<void> {
    const signal = AbortSignal.any([until, AbortSignal.timeout(RECORD_MS)])
    try {
      const runs = await readRecord(await link.stream(signal), signal)
      await (await deps.chats()).report(machine.id, runs, true)
    } catch {
      // What is known of its tools is what it was.
    }
  }

  async function* through(
    name: string,
    { model, ...request }: GatewayRequest,
    signal: AbortSignal,
  ): AsyncGenerator<string, GatewayEnd> {
    const limit = AbortSignal.timeout(TURN_MS)
    try {
      using linked = await open(name, AbortSignal.any([signal, limit]))
      const { link, until, machine } = linked
      const { provider = '', model: own = '' } = machine.spec.settings ?? {}
      const other = model === undefined || model === own ? undefined : `${provider}/${model}`
      const end = yield* askGateway(await link.stream(until), { ...request, model: other }, until)
      if (request.session !== undefined) await hear(linked)
      return end
    } catch (error) {
      if (limit.aborted && !signal.aborted && !(error instanceof AppError))
        throw new AppError('sandbox_unavailable', `The agent gave no answer in ${TURN_MS / 60_000} minutes.`)
      throw error
    }
  }

  async function ask(
    name: string,
    said: { readonly text: string; readonly model?: string | undefined },
    by: Actor,
    along?: Along,
  ): Promise<OpenedTurn> {
    const machine = await admit(name, said.model, by)
    const model = said.model ?? machine.spec.settings?.model ?? ''
    const chats = await deps.chats()
    const answer: Answerer = ({ text }, signal, began) =>
      through(
        name,
        {
          ...{ messages: [{ role: 'user', content: text }], model, session: MAIN_SESSION },
          began(run) {
            began(run)
            deps.spoke(machine.id)
          },
        },
        signal,
      )
    return await chats.ask(machine.id, { text: said.text, model }, by, answer, along)
  }

  return {
    say: (name, said, by) => ask(name, said, actorOf(by)),
    sayFor: (name, text, by, along) => ask(name, { text }, by, along),
    async turns(name, before, limit) {
      const { id } = await find(name)
      return await (await deps.chats()).history(id, before, limit)
    },
    async *followTurn(name, number, after, signal) {
      const { id } = await find(name)
      yield* (await deps.chats()).follow(id, number, after, signal)
    },
    async stopTurn(name, number) {
      const { id } = await find(name)
      return await (await deps.chats()).stop(id, number)
    },
    async *complete(name, request, by, signal) {
      const { id } = await admit(name, request.model, actorOf(by))
      const of = { model: request.model ?? null, messages: request.messages.length }
      const chats = await deps.chats()
      return yield* chats.unkept(id, of, actorOf(by), () => through(name, request, signal))
    },
    async openGateway(name, signal) {
      using linked = await open(name, signal)
      const { machine, link, until } = linked
      const touch = async (): Promise<void> => {
        using _awake = await open(machine.id, AbortSignal.timeout(WAKE_MS))
      }
      return { ...(await link.stream(until)), used: () => void touch().catch(() => {}) }
    },
    forget: async (machine) => await (await deps.chats()).forget(machine),
  }
}
