import type { MachineId, UnixMs } from '../../kernel/index.ts'

/** `open`: it waits or is being answered, by the daemon that has it in memory. */
export type TurnState = 'open' | 'done' | 'stopped' | 'failed'

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
  readonly model: string
  readonly asked: string
  /** Null until it ended; of one that was stopped or failed what had come by then. */
  readonly answer: string | null
  /** Why it failed, for a person. */
  readonly problem: string | null
  /** Of both texts, as stored. */
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
  /** Of every turn, the newest first. */
  sizes(machine: MachineId): Promise<readonly Pick<Turn, 'number' | 'bytes'>[]>
}

export interface ChatStore extends ChatReader {
  insert(chat: Chat): Promise<void>
  update(chat: Chat): Promise<void>
  insertTurn(turn: Turn): Promise<void>
  endTurn(turn: Turn): Promise<void>
  /** Drops ended turns up to this number. */
  dropTurns(machine: MachineId, upTo: number): Promise<void>
  remove(machine: MachineId): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly machineChats: StorePort<ChatReader, ChatStore>
  }
}
