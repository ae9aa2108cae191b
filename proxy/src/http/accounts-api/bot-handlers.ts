import type { AccountRoutes } from '../../contracts/accounts/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import { hostedHere } from '../../hosting/agents/index.ts'
import { viewBot, viewBotCode } from '../../hosting/bots/index.ts'
import { SecretValue } from '../../kernel/index.ts'
import type { AccountCaller } from './caller.ts'
import { instanceOf } from './instances-of.ts'

type Handled = Pick<
  RouteHandlers<AccountRoutes>,
  'readInstanceBot' | 'putInstanceBot' | 'deleteInstanceBot' | 'pairInstanceBot' | 'unpairInstanceBot'
>

/** What the owner's routes do to bots of agents, for an account to its own. */
export function botHandlers(signedIn: () => AccountCaller, changer: () => Promise<AccountCaller>): Handled {
  const botsOf = async ({ of, principal }: AccountCaller, id: string) => {
    const { machine } = await instanceOf(of, id)
    return { bots: hostedHere(of.hosting).bots, machine: machine.id, principal }
  }
  return {
    async readInstanceBot({ params: { id } }) {
      const { bots, machine } = await botsOf(signedIn(), id)
      const bot = await bots.show(machine)
      return { bot: bot && viewBot(bot) }
    },
    async putInstanceBot({ params: { id }, body: { token } }) {
      const { bots, machine, principal } = await botsOf(await changer(), id)
      return { bot: viewBot(await bots.add(machine, new SecretValue(token), principal)) }
    },
    async deleteInstanceBot({ params: { id } }) {
      const { bots, machine, principal } = await botsOf(await changer(), id)
      await bots.remove(machine, principal)
      return { bot: null }
    },
    async pairInstanceBot({ params: { id } }) {
      const { bots, machine, principal } = await botsOf(await changer(), id)
      return viewBotCode(await bots.newCode(machine, principal))
    },
    async unpairInstanceBot({ params: { id, chat } }) {
      const { bots, machine, principal } = await botsOf(await changer(), id)
      return { bot: viewBot(await bots.unpair(machine, chat, principal)) }
    },
  }
}
