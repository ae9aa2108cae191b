import type { AgentId, MachineId, UnixMs } from '../../kernel/index.ts'

/** The bot in Telegram by which persons talk to one hosted agent: a row of `agent_bots`. The agent has nothing of it. */
export interface AgentBot {
  readonly machine: MachineId
  readonly agent: AgentId
  /** Which bot it is, by `botOf`. */
  readonly bot: string
  /** Its name in Telegram, without `@`. */
  readonly username: string
  /** Sealed by the vault. */
  readonly token: string
  readonly lastFour: string
  /** Number of the last update that became a turn; 0 before the first. */
  readonly lastUpdate: number
  /** Of the code that pairs the next chat, SHA-256, and until when; null: none is out. */
  readonly code: { readonly sha256: string; readonly until: UnixMs } | null
  readonly createdAt: UnixMs
}

/** A private chat that may speak to the agent. */
export interface PairedChat {
  readonly machine: MachineId
  /** The person's id in Telegram. */
  readonly chat: string
  /** What the person was called there: chosen by them. */
  readonly name: string
  readonly pairedAt: UnixMs
}

/** The answer to a turn, which goes to the chat that asked. */
export interface OwedAnswer {
  readonly machine: MachineId
  readonly turn: number
  readonly chat: string
  /** Messages of it that Telegram has. */
  readonly sent: number
}

interface AgentBotReader {
  all(): Promise<readonly AgentBot[]>
  find(machine: MachineId): Promise<AgentBot | undefined>
  /** The first that was paired first. */
  chats(machine: MachineId): Promise<readonly PairedChat[]>
  chat(machine: MachineId, chat: string): Promise<PairedChat | undefined>
  /** In the order of their turns. */
  owed(machine: MachineId): Promise<readonly OwedAnswer[]>
}

export interface AgentBotStore extends AgentBotReader {
  insert(bot: AgentBot): Promise<void>
  update(bot: AgentBot): Promise<void>
  /** With its chats and what is owed to them. */
  remove(machine: MachineId): Promise<void>
  pair(chat: PairedChat): Promise<void>
  /** With what is owed to it. */
  unpair(machine: MachineId, chat: string): Promise<void>
  owe(answer: OwedAnswer): Promise<void>
  sent(answer: OwedAnswer): Promise<void>
  settle(machine: MachineId, turn: number): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly agentBots: StorePort<AgentBotReader, AgentBotStore>
  }
}
