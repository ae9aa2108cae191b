/** The rows of one tenant's conversations: texts are sealed before they are written, and what happened is in the audit without them. */
import type { AuditLog } from '../../audit/index.ts'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  type MachineId,
  type ReadTx,
  type RequestId,
  SecretValue,
  type Storage,
  type Tx,
} from '../../kernel/index.ts'
import type { Cipher, Vault } from '../../vault/index.ts'
import type { Chat, ToolCall, Turn, TurnState } from './ports.ts'

/** A turn with its texts, in clear. */
export interface OpenedTurn
  extends Pick<
    Turn,
    'number' | 'state' | 'origin' | 'requestId' | 'model' | 'problem' | 'createdAt' | 'endedAt'
  > {
  readonly asked: string
  readonly answer: string | null
  readonly tools: readonly ToolCall[]
}

interface TurnEnd {
  readonly state: Exclude<TurnState, 'open'>
  readonly answer: string
  readonly problem: string | null
  readonly tools: readonly ToolCall[]
  readonly run: string | null
}

/** One that was begun, and what ends it: its key is held for as long, so that a lockdown meanwhile loses nothing of it. */
export interface BegunTurn {
  readonly turn: OpenedTurn
  end(of: TurnEnd): Promise<OpenedTurn>
}

export interface ChatLedger {
  begin(
    machine: MachineId,
    said: { readonly text: string; readonly model: string },
    by: Actor,
    along?: (tx: Tx, number: number) => Promise<void>,
  ): Promise<BegunTurn>
  /** One that nobody asked for: its agent was woken. */
  beginWoken(
    machine: MachineId,
    woken: { readonly run: string; readonly requestId: RequestId | null; readonly model: string },
  ): Promise<BegunTurn>
  /** Of the newest turns, those that are known. */
  runs(machine: MachineId): Promise<readonly string[]>
  /** Throws `not_found`, and `locked` during a lockdown. */
  turn(machine: MachineId, number: number): Promise<OpenedTurn>
  /** Those before a number, the newest first. Throws `locked` during a lockdown. */
  turns(machine: MachineId, before: number, limit: number): Promise<readonly OpenedTurn[]>
  /** Somebody asks, and nothing of it is kept; the row is on disk before anybody is. Resolves to what tells its end. */
  unkept(
    machine: MachineId,
    of: { readonly model: string | null; readonly messages: number },
    by: Actor,
  ): Promise<{ end(state: Exclude<TurnState, 'open'>, chars: number): Promise<void> }>
  remove(machine: MachineId): Promise<void>
  /** What an earlier daemon left: turns that nobody answers any more, and conversations with machines that are gone. */
  takeOver(live: ReadonlySet<MachineId>): Promise<void>
}

const MAX_TURNS = 500
const MAX_BYTES = 16 * 1_048_576
const KNOWN_RUNS = 200
const LEFT = 'The daemon stopped before it was answered.'
const chatPurpose = (machine: MachineId): string => `machine-chat:${machine}`

/** In the unit that replaces the data key: texts stay as they are, the key of each conversation is sealed anew. */
export async function resealChatKeys(
  tx: Tx,
  reseal: (purpose: string, sealed: string) => string,
): Promise<void> {
  for (const chat of await tx.machineChats.all())
    await tx.machineChats.update({ ...chat, key: reseal(chatPurpose(chat.machine), chat.key) })
}

export function createChatLedger(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
  readonly cipher: Cipher
  readonly clock: Clock
}): ChatLedger {
  const { storage, audit, vault, cipher, clock } = deps
  const keyOf = ({ machine, key }: Chat): Uint8Array =>
    Buffer.from(vault.openFor(chatPurpose(machine), key).open(), 'base64url')
  const sealed = (key: Uint8Array, place: string, text: string): string =>
    Buffer.from(cipher.seal(key, Buffer.from(text), place)).toString('base64')
  const opened = (key: Uint8Array, place: string, text: string): string => {
    const bytes = cipher.open(key, Buffer.from(text, 'base64'), place)
    if (bytes === undefined)
      throw new AppError('internal', 'A kept text of a chat is not what was stored: it was altered or moved.')
    return Buffer.from(bytes).toString('utf8')
  }
  const placeOf = (machine: MachineId, number: number, what: 'asked' | 'answer' | 'tools'): string =>
    `oauth3 chat v1\0${storage.tenant}\0${machine}\0${number}\0${what}`
  const openTurn = (
    key: Uint8Array,
    { machine, asked, answer, tools, bytes: _, run: _run, ...rest }: Turn,
  ): OpenedTurn => {
    const open = (what: 'asked' | 'answer' | 'tools', text: string): string =>
      opened(key, placeOf(machine, rest.number, what), text)
    return {
      ...rest,
      asked: open('asked', asked),
      answer: answer === null ? null : open('answer', answer),
      tools: tools === null ? [] : (JSON.parse(open('tools', tools)) as ToolCall[]),
    }
  }
  const chatOf = async (tx: ReadTx, machine: MachineId): Promise<Chat> => {
    const chat = await tx.machineChats.find(machine)
    if (chat === undefined) throw new AppError('not_found', 'Nothing was said there yet.')
    return chat
  }
  /** The oldest make room. */
  const makeRoom = async (tx: Tx, machine: MachineId): Promise<void> => {
    let bytes = 0
    const sizes = await tx.machineChats.sizes(machine)
    const at = sizes.findIndex((one, index) => {
      bytes += one.bytes
      return index > 0 && (index >= MAX_TURNS || bytes > MAX_BYTES)
    })
    const last = sizes[at]
    if (last !== undefined) await tx.machineChats.dropTurns(machine, last.number)
  }
  const newChat = (machine: MachineId): Chat => {
    const key = cipher.newKey()
    const text = new SecretValue(Buffer.from(key).toString('base64url'))
    cipher.wipe(key)
    return { machine, key: vault.sealFor(chatPurpose(machine), text), lastNumber: 0 }
  }

  /** `told` writes to the audit that it began, and what else is of the same unit. */
  async function begin(
    machine: MachineId,
    of: Pick<Turn, 'origin' | 'requestId' | 'run' | 'model'> & { readonly text: string },
    told: (tx: Tx, turn: number) => Promise<void>,
  ): Promise<BegunTurn> {
    const { text, ...rest } = of
    const { turn, key } = await storage.transaction(async (tx) => {
      const known = await tx.machineChats.find(machine)
      const chat = known ?? newChat(machine)
      const number = chat.lastNumber + 1
      if (known === undefined) await tx.machineChats.insert({ ...chat, lastNumber: number })
      else await tx.machineChats.update({ ...chat, lastNumber: number })
      const key = keyOf(chat)
      const asked = sealed(key, placeOf(machine, number, 'asked'), text)
      const turn: Turn = {
        ...{ ...rest, machine, number, state: 'open', asked, answer: null, tools: null, problem: null },
        ...{ bytes: asked.length, createdAt: clock.now(), endedAt: null },
      }
      await tx.machineChats.insertTurn(turn)
      await makeRoom(tx, machine)
      await told(tx, number)
      return { turn, key }
    })
    return { turn: openTurn(key, turn), end: (of) => end(turn, key, of) }
  }

  async function end(
    turn: Turn,
    key: Uint8Array,
    { state, answer, problem, tools, run }: TurnEnd,
  ): Promise<OpenedTurn> {
    const { machine, number } = turn
    const text = sealed(key, placeOf(machine, number, 'answer'), answer)
    const used =
      tools.length === 0 ? null : sealed(key, placeOf(machine, number, 'tools'), JSON.stringify(tools))
    const ended: Turn = {
      ...{ ...turn, state, answer: text, tools: used, problem, run },
      ...{ bytes: turn.bytes + text.length + (used?.length ?? 0), endedAt: clock.now() },
    }
    const result = openTurn(key, ended)
    cipher.wipe(key)
    await storage.transaction(async (tx) => {
      await tx.machineChats.endTurn(ended)
      await makeRoom(tx, machine)
      await audit.append(tx, 'chat.ended', 'daemon', null, {
        ...{ machine, turn: number, state, chars: answer.length, tools: tools.length },
      })
    }, 'grouped')
    return result
  }

  return {
    begin: (machine, { text, model }, by, along) =>
      begin(machine, { origin: 'person', requestId: null, run: null, model, text }, async (tx, turn) => {
        await along?.(tx, turn)
        await audit.append(tx, 'chat.asked', by, null, { machine, turn, model, chars: text.length })
      }),

    beginWoken: (machine, woken) =>
      begin(machine, { ...woken, origin: 'woken', text: '' }, (tx, turn) =>
        audit.append(tx, 'chat.woken', 'daemon', woken.requestId, { machine, turn }),
      ),

    runs: (machine) => storage.read((tx) => tx.machineChats.runs(machine, KNOWN_RUNS)),

    async turn(machine, number) {
      const { chat, turn } = await storage.read(async (tx) => ({
        chat: await chatOf(tx, machine),
        turn: await tx.machineChats.turn(machine, number),
      }))
      if (turn === undefined)
        throw new AppError('not_found', 'There is no such turn, or it is not kept any more.')
      return openTurn(keyOf(chat), turn)
    },

    async turns(machine, before, limit) {
      const { chat, turns } = await storage.read(async (tx) => ({
        chat: await tx.machineChats.find(machine),
        turns: await tx.machineChats.turns(machine, before, limit),
      }))
      if (chat === undefined) return []
      const key = keyOf(chat)
      return turns.map((turn) => openTurn(key, turn))
    },

    async unkept(machine, of, by) {
      await storage.transaction((tx) => audit.append(tx, 'completion.asked', by, null, { machine, ...of }))
      return {
        end: (state, chars) =>
          storage.transaction(async (tx) => {
            await audit.append(tx, 'completion.ended', 'daemon', null, { machine, by, state, chars })
          }, 'grouped'),
      }
    },

    remove: (machine) => storage.transaction((tx) => tx.machineChats.remove(machine)),

    takeOver: (live) =>
      storage.transaction(async (tx) => {
        for (const { machine } of await tx.machineChats.all())
          if (!live.has(machine)) await tx.machineChats.remove(machine)
        // What its agent said meanwhile is in the agent's own record, and is taken from there anew.
        for (const turn of await tx.machineChats.open())
          if (turn.origin === 'woken') await tx.machineChats.removeTurn(turn)
          else
            await tx.machineChats.endTurn({ ...turn, state: 'failed', problem: LEFT, endedAt: clock.now() })
      }),
  }
}
