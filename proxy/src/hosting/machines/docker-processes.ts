/** The processes of a container, as the engine's own `ps` on the host tells them. Nothing is run in the container. */
import { z } from 'zod'
import type { MachineProcess } from './machine-driver.ts'

/** Of one line of `ps`: what is longer is cut by it, however much a process wrote into its arguments. */
const MAX_LINE_CHARS = 200
export const TOP_ARGUMENTS = `--cols ${MAX_LINE_CHARS} -o pid,ppid,stat,etimes,rss,args`
const MAX_PROCESSES = 2_000

const number = z.coerce.number().int().min(0)
const answer = z.object({ Processes: z.array(z.array(z.string()).length(6)).nullish() })
const row = z.tuple([number, number, z.string(), number, number, z.string()])

const INTERPRETER = /^(?:node|nodejs|deno|bun|python[\d.]*|bash|sh|dash|perl|ruby)$/
const SCRIPT = /^\/?(?:[\w.-]+\/)*([\w.-]{1,64}\.(?:mjs|cjs|js|ts|py|sh|pl|rb))$/

/** Whatever is not of the form is left out. */
export function readProcesses(said: unknown): readonly MachineProcess[] {
  const rows = answer.safeParse(said).data?.Processes ?? []
  return rows.slice(0, MAX_PROCESSES).flatMap((fields): MachineProcess[] => {
    const { data } = row.safeParse(fields)
    if (data === undefined) return []
    const [pid, parent, state, seconds, kib, args] = data
    const memoryBytes = kib * 1_024
    return [{ pid, parent, args, state: stateOf(state), seconds, memoryBytes }]
  })
}

/**
 * Its program, and the script that an interpreter runs: arguments are left out, they hold what a shell was told. Of a line that is clean
 * already: what is left of a secret is not known for one.
 */
export function programOf(args: string): string {
  const [program = '', first = ''] = args.split(' ')
  const name = program.replace(/:$/, '').split('/').at(-1) || '?'
  const script = INTERPRETER.test(name) ? SCRIPT.exec(first)?.[1] : undefined
  return script === undefined ? name : `${name} ${script}`
}

/** By the first letter of `ps` (procps, PROCESS STATE CODES). One that is frozen with its machine waits (D). */
function stateOf(letters: string): MachineProcess['state'] {
  switch (letters[0]) {
    case 'R':
      return 'running'
    case 'T':
    case 't':
      return 'stopped'
    case 'Z':
    case 'X':
      return 'ended'
    default:
      return 'waiting'
  }
}
