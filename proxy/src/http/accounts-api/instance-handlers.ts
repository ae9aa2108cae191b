import { randomBytes } from 'node:crypto'
import type { AccountRoutes, DesktopView, InstanceView } from '../../contracts/accounts/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import {
  type HostedAgent,
  hostedHere,
  lacksKey,
  TICKET_ACTIONS,
  ticketPath,
} from '../../hosting/agents/index.ts'
import type { Actor } from '../../identity/index.ts'
import { type PageTicketDeps, pageTicket } from '../console/index.ts'
import { type AccountCaller, assertMay, holderOf } from './caller.ts'
import { desktopOf, instanceOf, instancesOf } from './instances-of.ts'

type Handled = Pick<
  RouteHandlers<AccountRoutes>,
  | ('listInstances' | 'createInstance' | 'readInstance' | 'deleteInstance')
  | ('stopInstance' | 'startInstance' | 'issueTicket' | 'openPage')
  | ('listInstanceGenerations' | 'rollBackInstance')
  | ('readDesktop' | 'createDesktop' | 'deleteDesktop')
>

const STATUS = {
  creating: 'pending',
  starting: 'pending',
  waking: 'pending',
  running: 'running',
  pausing: 'stopping',
  stopping: 'stopping',
  paused: 'stopped',
  asleep: 'stopped',
  failed: 'failed',
  deleting: 'terminating',
  deleted: 'terminating',
} as const satisfies Readonly<Record<HostedAgent['machine']['observed'], InstanceView['status']>>

export function instanceHandlers(
  signedIn: () => AccountCaller,
  changer: () => Promise<AccountCaller>,
  { tickets, pages }: PageTicketDeps,
): Handled {
  const ordered = async (id: string, what: 'start' | 'stop' | 'remove'): Promise<InstanceView> => {
    const caller = await changer()
    const { machine } = await instanceOf(caller.of, id)
    const hosted = await hostedHere(caller.of.hosting).order(machine.id, what, caller.principal)
    return viewOf(hosted, caller.actor)
  }

  return {
    async listInstances() {
      const { of, actor } = signedIn()
      return { instances: (await instancesOf(of)).map((one) => viewOf(one, actor)) }
    },
    async createInstance({ body: { name, provider, model } }) {
      const caller = await changer()
      const made = { name: name ?? `agent-${randomBytes(4).toString('hex')}`, provider, model }
      return viewOf(await hostedHere(caller.of.hosting).add(made, caller.principal), caller.actor)
    },
    async readInstance({ params: { id } }) {
      const { of, actor } = signedIn()
      return viewOf(await instanceOf(of, id), actor)
    },
    async deleteInstance({ params: { id } }) {
      await ordered(id, 'remove')
      return { ok: true as const }
    },
    stopInstance: async ({ params: { id } }) => await ordered(id, 'stop'),
    async readDesktop({ params: { id } }) {
      const { of } = signedIn()
      const { machine } = await instanceOf(of, id)
      return viewDesktop(await desktopOf(of, machine))
    },
    async createDesktop({ params: { id } }) {
      const caller = await changer()
      const { machine } = await instanceOf(caller.of, id)
      return viewDesktop(await hostedHere(caller.of.hosting).addDesktop(machine.id, caller.principal))
    },
    async deleteDesktop({ params: { id } }) {
      const caller = await changer()
      const { machine } = await instanceOf(caller.of, id)
      await hostedHere(caller.of.hosting).removeDesktop(machine.id, caller.principal)
      return { ok: true as const }
    },
    async openPage({ params: { id } }) {
      const caller = signedIn()
      const { machine } = await instanceOf(caller.of, id)
      const { url, expiresAt } = pageTicket({ tickets, pages }, holderOf(caller), machine)
      return { url, expires_at: new Date(expiresAt).toISOString() }
    },
    async issueTicket({ params: { id }, body: { purpose } }) {
      const caller = signedIn()
      assertMay(caller, TICKET_ACTIONS[purpose])
      const { machine } = await instanceOf(caller.of, id)
      const { ticket, expiresAt } = tickets.issue(holderOf(caller), { machine: machine.id, purpose })
      return {
        ...{ ticket, path: ticketPath(machine.id, purpose, ticket) },
        expires_at: new Date(expiresAt).toISOString(),
      }
    },
    async listInstanceGenerations({ params: { id } }) {
      const caller = signedIn()
      const { machine } = await instanceOf(caller.of, id)
      const kept = await hostedHere(caller.of.hosting).generations(machine.id)
      return {
        generations: kept.map(({ number, isCurrent, createdAt, files, bytes }) => ({
          ...{ number, current: isCurrent, files, bytes },
          created_at: new Date(createdAt).toISOString(),
        })),
      }
    },
    async rollBackInstance({ params: { id }, body: { to } }) {
      const caller = await changer()
      const { machine } = await instanceOf(caller.of, id)
      const back = await hostedHere(caller.of.hosting).rollBack(machine.id, to, caller.principal)
      return viewOf(back, caller.actor)
    },
    startInstance: async ({ params: { id } }) => await ordered(id, 'start'),
  }
}

const viewDesktop = ({ machine }: HostedAgent): DesktopView => ({
  ...{ id: machine.id, name: machine.name },
  status: machine.desired === 'deleted' ? 'terminating' : STATUS[machine.observed],
  error: machine.lastError,
  created_at: new Date(machine.createdAt).toISOString(),
  updated_at: new Date(machine.changedAt).toISOString(),
})

const viewOf = (hosted: HostedAgent, actor: Actor): InstanceView => ({
  ...viewDesktop(hosted),
  notice: hosted.lacksKeyOf === null ? null : lacksKey(hosted.lacksKeyOf, actor).message,
  provider: hosted.machine.spec.settings?.provider ?? '',
  model: hosted.machine.spec.settings?.model ?? '',
})
