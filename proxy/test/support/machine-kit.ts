/** What tests of machines need: an image that every machine has, a time that is moved by hand, and a host over a database of its own. */
import { type AuditLog, createAuditLog, createAuditStore } from '../../src/audit/index.ts'
import {
  createMachineHost,
  createMachineStore,
  type Machine,
  type MachineDriver,
  type MachineHost,
  type MachineKey,
  type MachinePersistence,
  type MachineRef,
  type MachineSpec,
  type Machines,
} from '../../src/hosting/machines/index.ts'
import {
  AppError,
  type Clock,
  DEFAULT_TENANT,
  newMachineId,
  type Storage,
  type Tx,
} from '../../src/kernel/index.ts'
import type { Wait } from '../../src/sandbox/engine/index.ts'
import { VERSION } from '../../src/version.ts'
import { type EngineKit, engineKits, type TestDatabase } from './engines.ts'
import { createMachineDriverDouble, type MachineDriverDouble } from './machine-driver-double.ts'
import { owner } from './principals.ts'

export const MACHINE_IMAGE = `oauth3-sandbox-deno:${VERSION}`
export const MACHINE_STORES = { audit: createAuditStore, machines: createMachineStore }
const MIB = 1_048_576

/** Counts its lives in its files, says which one it is at its socket when there is one, and stays. */
const PROGRAM = `
  const file = '/state/home/lives'
  const lives = Number(await Deno.readTextFile(file).catch(() => '0')) + 1
  await Deno.writeTextFile(file, String(lives))
  setInterval(() => {}, 1e6)
  const socket = await Deno.connect({ transport: 'unix', path: '/run/oauth3/machine.sock' }).catch(() => null)
  await socket?.write(new TextEncoder().encode('life ' + lives + '\\n'))
`

export const machineSpec = (changes: Partial<MachineSpec> = {}): MachineSpec => ({
  command: ['/bin/deno', 'eval', PROGRAM],
  memoryBytes: 128 * MIB,
  cpuMillis: 500,
  pids: 64,
  tmpBytes: 8 * MIB,
  sleepAfterMs: 600_000,
  ...changes,
})

export const sampleMachine = (changes: Partial<Machine> = {}): Machine => ({
  id: newMachineId(),
  name: 'name',
  driver: 'double',
  image: MACHINE_IMAGE,
  spec: machineSpec(),
  desired: 'awake',
  observed: 'running',
  generation: 1,
  deadline: null,
  failures: 0,
  retryAt: null,
  lastError: null,
  identity: null,
  activeAt: 1,
  activeWhy: 'created',
  changedAt: 1,
  createdAt: 1,
  createdBy: 'cli:0',
  ...changes,
})

interface ManualTime {
  readonly clock: Clock
  readonly wait: Wait
  /** Fires what is due on the way, each at its time. */
  advance(ms: number): Promise<void>
}

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function createManualTime(startsAt = 1_800_000_000_000): ManualTime {
  let now = startsAt
  const due = new Set<{ readonly at: number; readonly fire: () => void }>()
  return {
    clock: { now: () => now },
    wait: (ms, { signal }) =>
      new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const one = { at: now + ms, fire: resolve }
        due.add(one)
        const abort = (): void => {
          due.delete(one)
          reject(signal.reason)
        }
        signal.addEventListener('abort', abort, { once: true })
      }),
    async advance(ms) {
      const end = now + ms
      for (;;) {
        await turnOfTheLoop()
        let next: { readonly at: number; readonly fire: () => void } | undefined
        for (const one of due) if (one.at <= end && (next === undefined || one.at < next.at)) next = one
        if (next === undefined) break
        due.delete(next)
        now = Math.max(now, next.at)
        next.fire()
      }
      now = end
    },
  }
}

export interface HostKit extends AsyncDisposable {
  readonly database: TestDatabase
  readonly storage: Storage
  readonly audit: AuditLog
  readonly time: ManualTime
  readonly driver: MachineDriverDouble
  readonly host: MachineHost
  readonly machines: Machines
  readonly log: readonly string[]
  /** A new one, on its way to run. */
  create(spec?: Partial<MachineSpec>, name?: string): Promise<Machine>
  rowOf(machine: Pick<Machine, 'id'>): Promise<Machine>
  stateOf(machine: Pick<Machine, 'id'>): Promise<Machine['observed']>
  /** Time goes on in steps until it holds. */
  until(holds: () => boolean | Promise<boolean>, stepMs?: number): Promise<void>
  untilState(machine: Pick<Machine, 'id'>, state: Machine['observed'], stepMs?: number): Promise<void>
  /** The host of another process on the same rows; this one ends as if it had been killed, without a word. */
  restart(): Promise<void>
}

export interface HostKitOptions extends Partial<Omit<Parameters<typeof createMachineHost>[0], 'driver'>> {
  readonly engine?: EngineKit['engine']
  readonly quota?: number
}

let named = 0
const nextName = (): string => {
  named += 1
  return `machine${named}`
}

export async function createHostKit({
  engine = 'sqlite',
  quota = 50,
  ...options
}: HostKitOptions = {}): Promise<HostKit> {
  const database = await engineKits[engine].fresh({ stores: MACHINE_STORES })
  const { storage } = database
  const time = createManualTime()
  const driver = createMachineDriverDouble()
  const audit = createAuditLog({ storage, clock: time.clock, auditKey: Buffer.alloc(32, 1), mayBegin: true })
  const log: string[] = []
  const tenant = { storage, audit, quota: machineQuota(quota) }
  const parts = await openHost(tenant, driver, {
    clock: time.clock,
    wait: time.wait,
    log: (message) => void log.push(message),
    ...options,
  })

  const kit: HostKit = {
    database,
    storage,
    audit,
    time,
    driver,
    log,
    get host() {
      return parts.host
    },
    get machines() {
      return parts.machines
    },
    async create(spec = {}, name = nextName()) {
      const ordered = await parts.machines.create(
        { name, image: MACHINE_IMAGE, spec: machineSpec(spec) },
        owner(),
      )
      if ('denied' in ordered) throw new Error(`denied: ${ordered.denied}`)
      return ordered.machine
    },
    async rowOf({ id }) {
      const row = await storage.read((tx) => tx.machines.byId(id))
      if (row === undefined) throw new Error('no such row')
      return row
    },
    stateOf: async (machine) => (await kit.rowOf(machine)).observed,
    async until(holds, stepMs = 100) {
      for (let step = 0; !(await holds()); step += 1) {
        if (step > 5_000) throw new Error(`it never came to be: ${holds}\n${log.slice(-10).join('\n')}`)
        await time.advance(stepMs)
      }
    },
    untilState: (machine, state, stepMs) =>
      kit.until(async () => (await kit.stateOf(machine)) === state, stepMs),
    async restart() {
      await parts.host[Symbol.asyncDispose]()
      Object.assign(
        parts,
        await openHost(tenant, driver, {
          clock: time.clock,
          wait: time.wait,
          log: (message) => void log.push(message),
          ...options,
        }),
      )
    },
    async [Symbol.asyncDispose]() {
      await parts.host[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
  return kit
}

export const machineQuota =
  (machines: number, memoryBytes = Number.MAX_SAFE_INTEGER) =>
  async () => ({ machines, memoryBytes })

/** A started host of the one tenant, with room for what a test makes unless it says otherwise. */
export async function openHost(
  tenant: Parameters<MachineHost['open']>[0],
  driver: MachineDriver,
  options: Partial<Parameters<typeof createMachineHost>[0]>,
): Promise<{ host: MachineHost; machines: Machines }> {
  const host = createMachineHost({ memoryBytes: 64 * 1_024 * MIB, random: () => 0.5, ...options, driver })
  const machines = await host.open(tenant)
  host.start()
  return { host, machines }
}

export interface PlayedFiles extends MachinePersistence {
  /** Number of the one that is restored, and of all that are kept. */
  readonly current: number
  readonly all: readonly number[]
  /** What of it was restored, in turn. */
  readonly restored: readonly number[]
  /** Thrown by each save. */
  refuses: Error | undefined
  kept: MachinePersistence['kept']
  restore: MachinePersistence['restore']
  /** Each save waits for it. */
  holds: Promise<void> | undefined
}

/** Files beyond the host, by their numbers alone. */
export function createPlayedFiles(storage: () => Storage): PlayedFiles {
  const all: number[] = []
  const restored: number[] = []
  const self = {
    ...{ all, restored, current: 0 },
    refuses: undefined as Error | undefined,
    holds: undefined as Promise<void> | undefined,
    async save() {
      await self.holds
      if (self.refuses !== undefined) throw self.refuses
      all.push(all.length + 1)
      self.current = all.length
    },
    async restore(_ref: MachineRef, _signal: AbortSignal, _begun?: () => Promise<void>) {
      restored.push(self.current)
      return 'ready' as const
    },
    isHalf: async () => false,
    forget: async () => {},
    kept: async () =>
      all.map((number) => ({
        ...{ number, isCurrent: number === self.current, createdAt: 1, files: 1, bytes: 1 },
      })),
    async pin(_key: MachineKey, number: number) {
      if (!all.includes(number)) throw new AppError('not_found', 'There is no such generation of its files.')
      return { [Symbol.dispose]: () => {} }
    },
    rollBack: (_key: MachineKey, number: number, also: (tx: Tx) => Promise<void>) =>
      storage().transaction(async (tx) => {
        await also(tx)
        self.current = number
      }),
  }
  return self
}

export const keyOf = ({ id }: Pick<Machine, 'id'>) => ({ tenant: DEFAULT_TENANT, machine: id })
