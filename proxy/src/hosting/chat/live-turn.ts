import { isDeepStrictEqual } from 'node:util'
import type { EventLog, OneAtATime } from '../../kernel/index.ts'
import type { BegunTurn, OpenedTurn } from './chat-ledger.ts'
import type { ToolCall } from './ports.ts'

/** A turn that this daemon is at. */
export interface LiveTurn {
  readonly begun: BegunTurn
  readonly log: EventLog
  readonly tools: Map<string, ToolCall>
  /** As its agent calls it, once that is known. */
  run: string | null
  /** Ends it, as one that was stopped. */
  readonly stop: () => void
  readonly ended: Promise<{ readonly turn: OpenedTurn; readonly error: unknown }>
}

export interface LiveChat {
  readonly turns: Map<number, LiveTurn>
  readonly inTurn: OneAtATime
  /** Those that are not on disk yet count too. */
  waiting: number
}

export const MAX_LOG_BYTES = 4 * 1_048_576
export const MAX_ANSWER_CHARS = 262_144
const MAX_TOOLS = 100

/** To all who follow, what is new of them; those beyond a number are left out. */
export function tellTools({ tools, log }: LiveTurn, told: readonly ToolCall[]): void {
  for (const tool of told) {
    const known = tools.get(tool.id)
    if (isDeepStrictEqual(known, tool) || (known === undefined && tools.size >= MAX_TOOLS)) continue
    tools.set(tool.id, tool)
    log.append('tool', { ...tool })
  }
}
