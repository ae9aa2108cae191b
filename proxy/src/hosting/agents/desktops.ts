/** Desktops: machines with a screen, each for one hosted agent, which a person sees and uses by VNC. */
import type { Duplex } from 'node:stream'
import { desktopName } from '../../contracts/index.ts'
import type { Principal } from '../../identity/index.ts'
import { AppError, type MachineId } from '../../kernel/index.ts'
import type { Machine, MachineSpec, Machines } from '../machines/index.ts'
import type { MachineOrder } from './browsers.ts'
import { agentIdOf, type HostedAgent, kindOf } from './hosted-agent.ts'
import type { LinkedMachine } from './hosted-chats.ts'

export interface DesktopConnection {
  /** HTTP to the front of its image, one request; what answers there is the machine's to say. */
  readonly stream: Duplex
  /** Somebody did something: it is awake for that, or wakes. */
  used(): void
  /** What comes while it is not would be done when it goes on, by when nobody means it any more. */
  isAwake(): boolean
}

export interface Desktops {
  /** By id or name of the hosted agent, which has one at most. Throws `not_found`, `conflict`, `refused`. */
  addDesktop(name: string, by: Principal): Promise<HostedAgent>
  /** With all its files. Throws `not_found`. */
  removeDesktop(name: string, by: Principal): Promise<HostedAgent>
  /** By id or name of the hosted agent; wakes its desktop. Throws `not_found`, `sandbox_unavailable`. */
  openDesktop(name: string, signal: AbortSignal): Promise<DesktopConnection>
}

interface DesktopsDeps {
  readonly machines: () => Promise<Machines>
  readonly images: { readonly desktop: string | null }
  readonly assertOpen: () => void
  /** Throws `not_found`. */
  readonly find: (name: string) => Promise<Machine>
  /** One at a time; throws what `order` throws. */
  readonly create: (order: MachineOrder, by: Principal) => Promise<HostedAgent>
  /** Wants it gone; throws `not_found`. */
  readonly remove: (name: MachineId, by: Principal) => Promise<HostedAgent>
  /** Awake and held until disposed of. */
  readonly open: (name: string, signal: AbortSignal) => Promise<LinkedMachine>
  readonly wake: (id: MachineId) => void
  readonly isRunning: (id: MachineId) => boolean
}

/** Chromium and XFCE have some hundred threads each. */
const PIDS = 1_024
const MAX_NAME_CHARS = 64

const desktopSpec = (agent: string): Partial<MachineSpec> => ({
  ...{ command: [], pids: PIDS },
  settings: { kind: 'desktop', agent },
})

export function createDesktops(deps: DesktopsDeps): Desktops {
  async function hostOf(name: string): Promise<Machine> {
    const machine = await deps.find(name)
    if (kindOf(machine) !== 'openclaw') throw new AppError('not_found', `No hosted agent named ${name}.`)
    return machine
  }
  async function desktopOf(host: Machine): Promise<Machine> {
    const found = (await (await deps.machines()).list()).find((one) => isDesktopOf(one, host))
    if (found === undefined)
      throw new AppError('not_found', `${host.name} has no desktop; its owner adds one.`)
    return found
  }

  return {
    async addDesktop(name, by) {
      deps.assertOpen()
      const { desktop: image } = deps.images
      if (image === null)
        throw new AppError('refused', 'Desktops are containers; OAUTH3_HOST_DRIVER has none.')
      const host = await hostOf(name)
      const own = desktopName(host.name)
      if (own.length > MAX_NAME_CHARS)
        throw new AppError('refused', `The name of its desktop would be too long: ${own}.`)
      const check = async (): Promise<void> => {
        const all = await (await deps.machines()).list()
        if (all.some((one) => isDesktopOf(one, host)))
          throw new AppError('conflict', `${host.name} has a desktop already.`)
      }
      return await deps.create({ name: own, image, spec: desktopSpec(agentIdOf(host)), check }, by)
    },

    async removeDesktop(name, by) {
      const { id } = await desktopOf(await hostOf(name))
      return await deps.remove(id, by)
    },

    async openDesktop(name, signal) {
      const { id } = await desktopOf(await hostOf(name))
      using linked = await deps.open(id, signal)
      const { stream } = await linked.link.stream(linked.until)
      return { stream, used: () => deps.wake(id), isAwake: () => deps.isRunning(id) }
    },
  }
}

export const isDesktopOf = (machine: Machine, host: Machine): boolean =>
  kindOf(machine) === 'desktop' && agentIdOf(machine) === agentIdOf(host) && machine.desired !== 'deleted'
