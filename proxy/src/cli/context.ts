import type { Command } from 'commander'
import type { AdminClient } from './admin-client.ts'
import type { Terminal } from './terminal.ts'

/** What every command works with; `--json` and `--socket` are read when the command runs. */
export interface CommandContext {
  readonly client: AdminClient
  readonly terminal: Terminal
  readonly json: boolean
  now(): number
  /** The result: as JSON with --json, else as a person reads it. */
  show(value: unknown, human: () => string): Promise<void>
}

/** Adds a group of commands to the program. */
export type CommandGroup = (program: Command, context: CommandContext) => void
