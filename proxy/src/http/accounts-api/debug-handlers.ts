import type { AccountRoutes } from '../../contracts/accounts/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import { hostedHere, viewPrinted, viewProcesses, viewVersions } from '../../hosting/agents/index.ts'
import type { AccountCaller } from './caller.ts'
import { chosenInstance } from './instances-of.ts'

type Handled = Pick<RouteHandlers<AccountRoutes>, 'listProcesses' | 'readLog' | 'readVersion'>

/** `takeWrite`: each look opens the tenant's secrets, to cut them out, and is a row of the audit. */
export function debugHandlers(
  signedIn: () => AccountCaller,
  takeWrite: (caller: AccountCaller, what: string) => Promise<void>,
): Handled {
  const looked = async (instance: string | undefined) => {
    const caller = signedIn()
    await takeWrite(caller, 'machines')
    const { machine } = await chosenInstance(caller.of, instance)
    return { hosting: hostedHere(caller.of.hosting), id: machine.id, by: caller.principal }
  }
  return {
    async listProcesses({ query: { instance } }) {
      const { hosting, id, by } = await looked(instance)
      return viewProcesses(await hosting.processes(id, by))
    },
    async readLog({ query: { instance, id: process } }) {
      const { hosting, id, by } = await looked(instance)
      return viewPrinted(await hosting.printed(id, process, by))
    },
    async readVersion({ query: { instance } }) {
      const { of } = signedIn()
      const { machine } = await chosenInstance(of, instance)
      return viewVersions(await hostedHere(of.hosting).versions(machine.id))
    },
  }
}
