/**
 * Machines without an engine, for walks that no engine could go through in time. It keeps the contract of a driver, fails where a test
 * says so, and notes what must never be. With a file, what it has outlives the process.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Held, MachineDriver, MachineKey, MachineRef, Phase } from '../../src/hosting/machines/index.ts'

export const ACTS = [
  'create',
  'start',
  'pause',
  'unpause',
  'stop',
  'remove',
  'purge',
  'observe',
  'list',
] as const
export type DriverAct = (typeof ACTS)[number]

/**
 * `refuse`: nothing is done. `lose_answer`: it is done, and nobody hears of it. `hang`: no answer before the signal, nothing done.
 * `late`: no answer before the signal, and done at `doLate`. `half`: of a creation the files alone.
 */
export type DriverFault = 'none' | 'refuse' | 'lose_answer' | 'hang' | 'late' | 'half'

interface Container {
  readonly key: MachineKey
  phase: Exclude<Phase, 'absent'>
}

export interface MachineDriverDouble extends MachineDriver {
  /** What must never be, as it was seen. */
  readonly violations: readonly string[]
  readonly calls: Readonly<Record<DriverAct, number>>
  faults: (act: DriverAct, of: MachineKey | undefined) => DriverFault
  /** What its image says: that what is made of it waits for its configuration. */
  waiting: boolean
  /** Runs what came late. */
  doLate(): void
  /** What an operator does behind the daemon's back. */
  outside(act: 'kill' | 'remove' | 'pause' | 'unpause' | 'start', key: MachineKey): void
  /** Containers and files, of whichever machine. */
  readonly things: number
  phasesOf(key: MachineKey): readonly Phase[]
}

const idOf = ({ machine, generation }: MachineRef): string => `${machine}-${generation}`

export function createMachineDriverDouble(options: { readonly file?: string } = {}): MachineDriverDouble {
  const containers = new Map<string, Container & { readonly generation: number }>()
  const files = new Map<string, MachineKey>()
  const violations: string[] = []
  const late: (() => void)[] = []
  const watchers = new Set<(key: MachineKey | null) => void>()
  const calls = Object.fromEntries(ACTS.map((act) => [act, 0])) as Record<DriverAct, number>

  const { file } = options
  if (file !== undefined && existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as [typeof containers, typeof files]
    for (const [id, one] of kept[0]) containers.set(id, one)
    for (const [id, one] of kept[1]) files.set(id, one)
  }
  const keep = (): void => {
    if (file === undefined) return
    writeFileSync(`${file}.new`, JSON.stringify([[...containers], [...files]]))
    renameSync(`${file}.new`, file)
  }

  const of = (key: MachineKey) =>
    [...containers.values()].filter((one) => one.key.machine === key.machine && one.key.tenant === key.tenant)
  const phaseOf = (ref: MachineRef): Phase => containers.get(idOf(ref))?.phase ?? 'absent'
  const changed = (key: MachineKey): void => {
    keep()
    const up = of(key).filter(({ phase }) => phase === 'running' || phase === 'paused')
    if (up.length > 1) violations.push(`${up.length} of ${key.machine} are up`)
    if (up.length > 0 && !files.has(key.machine)) violations.push(`${key.machine} is up without files`)
    for (const tell of watchers) tell(key)
  }
  /** From one phase to another, where it is in the first. */
  const turn = (ref: MachineRef, from: readonly Phase[], to: Container['phase']): void => {
    const one = containers.get(idOf(ref))
    if (one === undefined || !from.includes(one.phase)) return
    one.phase = to
    changed(one.key)
  }

  /** Each act with what it does and what it answers; faults stand between the two. */
  async function act<T>(
    name: DriverAct,
    key: MachineKey | undefined,
    signal: AbortSignal,
    effect: () => void,
    answer: () => T,
  ): Promise<T> {
    calls[name] += 1
    signal.throwIfAborted()
    const fault = double.faults(name, key)
    await Promise.resolve()
    const isRead = name === 'observe' || name === 'list'
    if (fault === 'refuse' || (fault === 'half' && name !== 'create')) throw new Error(`${name} was refused`)
    if (fault === 'half' && key !== undefined) {
      files.set(key.machine, { tenant: key.tenant, machine: key.machine })
      keep()
      throw new Error('the creation broke off')
    }
    if (fault === 'late' && !isRead) late.push(effect)
    if (fault === 'hang' || fault === 'late') {
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      )
    }
    effect()
    if (fault === 'lose_answer') throw new Error(`the answer to ${name} was lost`)
    return answer()
  }

  const turning =
    (name: DriverAct, from: readonly Phase[], to: Container['phase']) =>
    (ref: MachineRef, signal: AbortSignal) =>
      act(
        name,
        ref,
        signal,
        () => turn(ref, from, to),
        () => phaseOf(ref),
      )

  const double: MachineDriverDouble = {
    kind: 'double',
    capabilities: { pauses: true, tells: true },
    violations,
    calls,
    faults: () => 'none',
    waiting: false,
    waits: async () => double.waiting,
    create: (ref, _what, signal) =>
      act(
        'create',
        ref,
        signal,
        () => {
          const key = { tenant: ref.tenant, machine: ref.machine }
          files.set(ref.machine, key)
          if (!containers.has(idOf(ref)))
            containers.set(idOf(ref), { key, generation: ref.generation, phase: 'created' })
          changed(key)
        },
        () => phaseOf(ref),
      ),
    start: turning('start', ['created', 'stopped'], 'running'),
    pause: turning('pause', ['running'], 'paused'),
    unpause: turning('unpause', ['paused'], 'running'),
    stop: (ref, _graceMs, signal) => turning('stop', ['running', 'paused'], 'stopped')(ref, signal),
    remove: (ref, signal) =>
      act(
        'remove',
        ref,
        signal,
        () => {
          containers.delete(idOf(ref))
          changed(ref)
        },
        () => phaseOf(ref),
      ),
    purge: (key, signal) =>
      act(
        'purge',
        key,
        signal,
        () => {
          for (const { generation } of of(key)) containers.delete(idOf({ ...key, generation }))
          files.delete(key.machine)
          changed(key)
        },
        () => undefined,
      ),
    observe: (ref, signal) =>
      act(
        'observe',
        ref,
        signal,
        () => {},
        () => phaseOf(ref),
      ),
    list: (signal, key) =>
      act(
        'list',
        key,
        signal,
        () => {},
        (): Held[] => {
          const held = [...containers.values()].map(({ key: own, generation, phase }) => ({
            ...own,
            generation,
            phase,
          }))
          const kept = [...files.values()].map((own) => ({
            ...own,
            generation: null,
            phase: 'absent' as const,
          }))
          return [...held, ...kept].filter(
            ({ tenant, machine }) => key === undefined || (key.tenant === tenant && key.machine === machine),
          )
        },
      ),
    address: ({ machine }) => ({ socketPath: `/nowhere/${machine}/machine.sock` }),
    watch(tell) {
      watchers.add(tell)
      return { [Symbol.dispose]: () => void watchers.delete(tell) }
    },
    doLate() {
      for (const effect of late.splice(0)) effect()
    },
    outside(what, key) {
      // The newest: what is older is only waiting to be removed.
      for (const one of of(key).slice(-1)) {
        const ref = { ...key, generation: one.generation }
        if (what === 'remove') {
          containers.delete(idOf(ref))
          changed(key)
        } else if (what === 'kill') turn(ref, ['running', 'paused'], 'stopped')
        else if (what === 'pause') turn(ref, ['running'], 'paused')
        else if (what === 'unpause') turn(ref, ['paused'], 'running')
        else turn(ref, ['created', 'stopped'], 'running')
      }
    },
    get things() {
      return containers.size + files.size
    },
    phasesOf: (key) => of(key).map(({ phase }) => phase),
  }
  return double
}
