/** What runs in a machine and what it printed, for its owner: seen from outside, scrubbed, and nobody is woken. */
import type { Principal } from '../../identity/index.ts'
import { AppError, type SecretValue } from '../../kernel/index.ts'
import { type Machine, type MachineProcess, type Machines, programOf } from '../machines/index.ts'
import type { ControlLink } from './control-link.ts'
import { createTextScrubber } from './scrubbed-text.ts'

export interface MachineVersions {
  readonly machine: Machine
  /** As the machine says itself; null while it is not up, or of one that has none. */
  readonly openclaw: string | null
  readonly node: string | null
}

export interface SeenProcess extends Omit<MachineProcess, 'args'> {
  /** Its program, and the script of an interpreter. */
  readonly command: string
}

export interface PrintedByMachine {
  readonly machine: Machine
  /** The process that was asked for; null: none was. */
  readonly process: SeenProcess | null
  readonly text: string
  /** Older lines are left out. */
  readonly isCut: boolean
}

/** By id or name. All throw `not_found`; what the machine says comes scrubbed. */
export interface Inspections {
  /** None of one that is not up. Throws `refused` where its driver cannot see them, and `locked`. */
  processes(
    name: string,
    by: Principal,
  ): Promise<{ readonly machine: Machine; readonly processes: readonly SeenProcess[] }>
  /**
   * Of a process that is there, or without one: a machine has one log, of its OpenClaw. Nothing of one that is not up. Throws `refused`
   * and `locked` as well.
   */
  printed(name: string, process: string | undefined, by: Principal): Promise<PrintedByMachine>
  versions(name: string): Promise<MachineVersions>
}

/** What a machine's own words are cleaned for: `file` is the path of one that passes. */
export type Inspected = 'processes' | 'log' | 'file'

interface ScrubbingDeps {
  /** The daemon's end of one that is up. */
  readonly linkOf: (machine: Machine) => Promise<ControlLink | undefined>
  /** All values of the tenant, opened to be cut out, in the unit that says so in the audit. Throws `locked`. */
  readonly openToScrub: (
    machine: Machine,
    what: Inspected,
    by: Principal,
  ) => Promise<ReadonlyMap<string, SecretValue>>
}

/** Throws `locked`. */
export type MachineScrubbers = (
  machine: Machine,
  what: Inspected,
  by: Principal,
) => ReturnType<typeof createTextScrubber>

export const createMachineScrubbers =
  ({ linkOf, openToScrub }: ScrubbingDeps): MachineScrubbers =>
  async (machine, what, by) => {
    const secrets = new Map(await openToScrub(machine, what, by))
    const token = (await linkOf(machine))?.gatewayToken()
    if (token != null) secrets.set('gateway token', token)
    return await createTextScrubber(secrets)
  }

export function createInspections(deps: {
  /** Throws `not_found`. */
  readonly named: (name: string) => Promise<{ readonly machine: Machine; readonly machines: Machines }>
  readonly linkOf: ScrubbingDeps['linkOf']
  /** Throws `locked`: nothing is asked of the driver for what could not be shown. */
  readonly assertOpen: () => void
  readonly scrubberFor: MachineScrubbers
}): Inspections {
  const { named, linkOf, assertOpen, scrubberFor } = deps

  return {
    async processes(name, by) {
      assertOpen()
      const { machine, machines } = await named(name)
      const found = await machines.processes(machine.id)
      const { line } = await scrubberFor(machine, 'processes', by)
      return { machine, processes: found.map((one) => seen(one, line)) }
    },
    async printed(name, asked, by) {
      assertOpen()
      const { machine, machines } = await named(name)
      const found = await machines.processes(machine.id)
      const process = found.find(({ pid }) => String(pid) === asked)
      if (asked !== undefined && process === undefined)
        throw new AppError('not_found', 'No such process runs in it.')
      const { line, log } = await scrubberFor(machine, 'log', by)
      const link = await linkOf(machine)
      return {
        ...{ machine, process: process ? seen(process, line) : null },
        ...(link === undefined ? { text: '', isCut: false } : log(link.log())),
      }
    },
    async versions(name) {
      const { machine } = await named(name)
      const link = await linkOf(machine)
      return { machine, ...(link?.versions() ?? { openclaw: null, node: null }) }
    },
  }
}

/** A process may have called itself by a secret, or by a part of one that ends where its line was cut. */
const seen = ({ args, ...rest }: MachineProcess, clean: (text: string) => string): SeenProcess => ({
  ...rest,
  command: programOf(clean(args)),
})
