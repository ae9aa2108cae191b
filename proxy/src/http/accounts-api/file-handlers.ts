import type { AccountRoutes } from '../../contracts/accounts/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import { hostedHere, viewFiles } from '../../hosting/agents/index.ts'
import type { AccountCaller } from './caller.ts'
import { instanceOf } from './instances-of.ts'

type Handled = Pick<
  RouteHandlers<AccountRoutes>,
  'listInstanceFiles' | 'takeInstanceFile' | 'putInstanceFile'
>

/** `takeWrite`: each wakes a machine and has an engine at work, and a file that passes is rows of the audit. */
export function fileHandlers(
  signedIn: () => AccountCaller,
  takeWrite: (caller: AccountCaller, what: string) => Promise<void>,
): Handled {
  const chosen = async (instance: string) => {
    const caller = signedIn()
    await takeWrite(caller, 'files')
    const { machine } = await instanceOf(caller.of, instance)
    return { hosting: hostedHere(caller.of.hosting), id: machine.id, by: caller.principal }
  }
  return {
    async listInstanceFiles({ params, query: { folder } }) {
      const { hosting, id } = await chosen(params.id)
      return viewFiles(folder, await hosting.listFiles(id, folder))
    },
    async takeInstanceFile({ params, query: { path }, signal }) {
      const { hosting, id, by } = await chosen(params.id)
      return await hosting.takeFile(id, path, by, signal)
    },
    async putInstanceFile({ params, query: { path, replace }, upload, signal }) {
      const { hosting, id, by } = await chosen(params.id)
      return await hosting.putFile(id, path, { ...upload, replace: replace === '1' }, by, signal)
    },
  }
}
