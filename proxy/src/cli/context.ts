import type { Command } from 'commander'
import { type AdminClient, createAdminClient } from './admin-client.ts'
import { findSocket, findTenant } from './socket-path.ts'
import { type CliSurroundings, createTerminal, safeJson, type Terminal } from './terminal.ts'

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

interface Globals {
  readonly json?: boolean
  readonly socket?: string
  readonly tenant?: string
}

export function createContext(around: CliSurroundings, globals: () => Globals): CommandContext {
  const terminal = createTerminal(around)
  return {
    terminal,
    get client() {
      const { socket, tenant } = globals()
      return createAdminClient(
        findSocket(socket, around.env, around.cwd),
        findTenant(tenant, around.env, around.cwd),
      )
    },
    get json() {
      return globals().json === true
    },
    now: () => Date.now(),
    show: (value, human) => terminal.print(globals().json === true ? safeJson(value, 2) : human()),
  }
}
