import type { MachineId, RequestId, UnixMs } from '../../kernel/index.ts'

/** `open`: it waits or is being answered, by the daemon that has it in memory. */
export type TurnState = 'open' | 'done' | 'stopped' | 'failed'

/** Who began it: a person who said something, or what woke its agent, such as the outcome of a request. */
export type TurnOrigin = 'person' | 'woken'

/** A use of a tool, as its machine tells it: untrusted texts, inert and bounded. */
export interface ToolCall {
  /** Of one turn. */
  readonly id: string
  readonly name: string
  readonly state: 'running' | 'done' | 'failed'
  /** JSON, cut. */
  readonly arguments: string
  /** By its machine's clock; null before its end. */
  readonly durationMs: number | null
}

/** The conversation with one machine. */
export interface Chat {
  readonly machine: MachineId
  /** Its texts' key, sealed by the vault. */
  readonly key: string
  /** Of the newest turn; 0 before the first. */
  readonly lastNumber: number
}

/** What somebody said and what was answered: a row of `machine_turns`. Texts are sealed under the conversation's key. */
export interface Turn {
  readonly machine: MachineId
  /** From 1, in the order in which they were said. */
  readonly number: number
  readonly state: TurnState
  readonly origin: TurnOrigin
  /** Whose outcome woke it. */
  readonly requestId: RequestId | null
  /** As its agent calls it; null of one that never came so far. */
  readonly run: string | null
  readonly model: string
  /** Of one that was woken nothing. */
  readonly asked: string
  /** A list of `ToolCall`, as JSON; null: none. */
  readonly tools: string | null
  /** Null until it ended; of one that was stopped or failed what had come by then. */
  readonly answer: string | null
  /** Why it failed, for a person. */
  readonly problem: string | null
  /** Of all texts, as stored. */
  readonly bytes: number
  readonly createdAt: UnixMs
  readonly endedAt: UnixMs | null
}

interface ChatReader {
  find(machine: MachineId): Promise<Chat | undefined>
  all(): Promise<readonly Chat[]>
  turn(machine: MachineId, number: number): Promise<Turn | undefined>
  /** Those before a number, the newest first. */
  turns(machine: MachineId, before: number, limit: number): Promise<readonly Turn[]>
  open(): Promise<readonly Turn[]>
  /** Of the newest so many turns, those that have one. */
  runs(machine: MachineId, limit: number): Promise<readonly string[]>
  /** Of every turn, the newest first. */
  sizes(machine: MachineId): Promise<readonly Pick<Turn, 'number' | 'bytes'>[]>
}

export interface ChatStore extends ChatReader {
  insert(chat: Chat): Promise<void>
  update(chat: Chat): Promise<void>
  insertTurn(turn: Turn): Promise<void>
  endTurn(turn: Turn): Promise<void>
  removeTurn(turn: Pick<Turn, 'machine' | 'number'>): Promise<void>
  /** Drops ended turns up to this number. */
  dropTurns(machine: MachineId, upTo: number): Promise<void>
  remove(machine: MachineId): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly machineChats: StorePort<ChatReader, ChatStore>
  }
}
