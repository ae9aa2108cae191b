import { actorOf, authorize, type Principal, resourceOf } from '../../identity/index.ts'
import { type Clock, randomToken, type TenantId } from '../../kernel/index.ts'
import type { Lockdown } from '../../vault/index.ts'
import { callbackData } from './callback-data.ts'
import type { CommandReply } from './commands.ts'

/** What the button says. */
export const PANIC = 'panic'
const GOOD_MS = 120_000

/** Asks once before everything is stopped: a command is typed by mistake more easily than one is answered. */
export interface PanicButton {
  offer(): CommandReply
  /** What the one who pressed reads; undefined for a button that is not the newest, or too old. */
  press(token: string, by: Principal | undefined): Promise<string | undefined>
}

export function createPanicButton(deps: {
  readonly lockdown: Lockdown
  readonly clock: Clock
  readonly tenant: TenantId
}): PanicButton {
  let offered: { readonly token: string; readonly until: number } | undefined
  return {
    offer() {
      offered = { token: randomToken(128), until: deps.clock.now() + GOOD_MS }
      const button = { text: '🛑 Stop everything', callback_data: callbackData(offered.token, PANIC) }
      return {
        html: 'Stop all runs, revoke all grants, cancel what waits and lock every secret? It is not undone from here. The button is good for two minutes.',
        keyboard: [[button]],
      }
    },
    async press(token, by) {
      const isGood = offered?.token === token && deps.clock.now() < offered.until
      const may = by && authorize(by, 'daemon.panic', resourceOf(deps.tenant, 'daemon.panic')).allowed
      if (!isGood || by?.kind !== 'approver' || !may) return undefined
      offered = undefined
      await deps.lockdown.begin({ actor: actorOf(by), name: by.name })
      return 'Locked: nothing runs, and no secret is used. On the host: oauth3 panic end'
    },
  }
}
