import { AppError, type UnixMs } from '../../kernel/index.ts'
import type { Activity, Machine, MachineKey, MachineRef } from './machine.ts'
import type { MachineLedger } from './machine-ledger.ts'

/** A machine in the memory of its host: its row as of the newest commit, and what no row says. */
export interface LiveMachine {
  readonly key: MachineKey
  readonly ledger: MachineLedger
  row: Machine
  activeAt: UnixMs
  activeWhy: Activity
  /** When the row was told of the activity. */
  storedActiveAt: UnixMs
  /** Calls in flight. */
  calls: number
  /** Its tenant was closed: nothing is done with it from here any more. */
  readonly leaving: AbortController
  /** It is about to be paused or stopped: no call begins. */
  closing: boolean
  /** The ladder is just writing that it shall go down. */
  lowering: boolean
  /** Files that its driver has are to be kept beyond it, whether or not a start has used them. */
  keeping: boolean
  /** Acts of the driver that failed in this state, one after the other. */
  attempts: number
  notBefore: UnixMs
  readonly waiters: Set<Waiter>
  /** Called at each change of its row. */
  readonly watchers: Set<() => void>
  /** The change of what is wanted that all who wait share. */
  wishing: Promise<unknown> | undefined
  /** Its memory is being claimed for another. */
  yielding: boolean
  job: Promise<void> | undefined
  again: boolean
  /** The next look at it that is planned. */
  planned: AbortController | undefined
}

export interface Waiter {
  readonly why: Activity
  readonly granted: (call: Disposable) => void
  readonly refused: (error: unknown) => void
}

export const newLive = (key: MachineKey, ledger: MachineLedger, row: Machine): LiveMachine => ({
  key,
  ledger,
  row,
  activeAt: row.activeAt,
  activeWhy: row.activeWhy,
  storedActiveAt: row.activeAt,
  calls: 0,
  leaving: new AbortController(),
  closing: false,
  lowering: false,
  keeping: false,
  attempts: 0,
  notBefore: 0,
  waiters: new Set(),
  watchers: new Set(),
  wishing: undefined,
  yielding: false,
  job: undefined,
  again: false,
  planned: undefined,
})

export const refOf = ({ key, row }: LiveMachine): MachineRef => ({ ...key, generation: row.generation })

/** Whether a call may begin. */
export const isOpen = ({ row, closing, lowering }: LiveMachine): boolean =>
  row.observed === 'running' && row.desired === 'awake' && !closing && !lowering

/** No call is in flight, and from now on none begins. */
export function tryClose(live: LiveMachine): boolean {
  if (live.calls > 0) return false
  live.closing = true
  return true
}

export const isOver = ({ row }: LiveMachine): boolean => row.observed === 'deleted'

export const unavailable = ({ lastError }: Machine): AppError =>
  new AppError('sandbox_unavailable', `The machine could not be woken: ${lastError ?? 'it failed'}.`, {
    retryAfterSeconds: 10,
  })
