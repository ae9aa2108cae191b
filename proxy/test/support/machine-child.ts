/**
 * A host of machines that dies (SIGKILL) right before or right after an act of its driver:
 * `node machine-child.ts <folder> <docker|double> <act> <before|after> <nth>`. It leads one machine through its life again and again.
 */
import { join } from 'node:path'
import { createAuditLog } from '../../src/audit/index.ts'
import {
  createDockerDriver,
  type Machine,
  type MachineDriver,
  type Machines,
} from '../../src/hosting/machines/index.ts'
import { DEFAULT_TENANT, systemClock } from '../../src/kernel/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { openStorage, type StoreFactories } from '../../src/storage/index.ts'
import { createMachineDriverDouble } from './machine-driver-double.ts'
import { MACHINE_IMAGE, MACHINE_STORES, machineQuota, machineSpec, openHost } from './machine-kit.ts'
import { owner } from './principals.ts'

/** Of a folder, so that a test finds what the child has made. */
export const driverIn = (folder: string, kind: string): MachineDriver =>
  kind === 'docker'
    ? createDockerDriver({
        docker: createEngineClient(),
        instanceId: folder,
        endpointFolder: join(folder, 'endpoints'),
      })
    : createMachineDriverDouble({ file: join(folder, 'driver.json') })

export const openDatabase = (folder: string) =>
  openStorage({
    database: { path: join(folder, 'proxy.db') },
    stores: MACHINE_STORES as unknown as StoreFactories,
    onDefect: (error) => console.error(error),
  })

/** What the daemon does of its own accord, driven as fast as it goes. */
async function live(machines: Machines): Promise<void> {
  const order = { name: 'victim', image: MACHINE_IMAGE, spec: machineSpec() }
  for (;;) {
    const ordered = await machines.create(order, owner())
    if ('denied' in ordered) throw new Error(ordered.denied)
    const { id } = ordered.machine
    const reached = async (state: Machine['observed']): Promise<void> => {
      while ((await machines.list()).find((one) => one.id === id)?.observed !== state)
        await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const wake = async (): Promise<void> =>
      (await machines.ensureAwake(id, 'message', new AbortController().signal))[Symbol.dispose]()
    await wake()
    await machines.ask(id, 'paused', owner())
    await reached('paused')
    await wake()
    await machines.ask(id, 'asleep', owner())
    await reached('asleep')
    await wake()
    await machines.ask(id, 'deleted', owner())
    while ((await machines.list()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Each call of `act` is counted; the process ends in the middle of the one that it is told. */
function dying(driver: MachineDriver, act: string, moment: string, nth: number): MachineDriver {
  let left = nth
  return new Proxy(driver, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown
      if (name !== act || typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        left -= 1
        if (left === 0 && moment === 'before') process.kill(process.pid, 'SIGKILL')
        const working = Reflect.apply(value, target, args) as Promise<unknown>
        // The engine has the request, and its answer finds nobody.
        if (left === 0 && moment === 'during') setImmediate(() => process.kill(process.pid, 'SIGKILL'))
        const result = await working
        if (left === 0) process.kill(process.pid, 'SIGKILL')
        return result
      }
    },
  })
}

if (import.meta.main) {
  const [folder = '', kind = '', act = '', moment = '', nth = '1'] = process.argv.slice(2)
  const storage = (await openDatabase(folder)).forTenant(DEFAULT_TENANT)
  const audit = createAuditLog({ storage, clock: systemClock, auditKey: Buffer.alloc(32, 1), mayBegin: true })
  const driver = dying(driverIn(folder, kind), act, moment, Number(nth))
  const { machines } = await openHost({ storage, audit, quota: machineQuota(1) }, driver, { stopGraceMs: 0 })
  await live(machines)
}
