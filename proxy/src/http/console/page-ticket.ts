import { kindOf } from '../../hosting/agents/index.ts'
import type { Machine } from '../../hosting/machines/index.ts'
import type { TicketHolder, Tickets } from '../../identity/tickets/index.ts'
import { AppError, type UnixMs } from '../../kernel/index.ts'
import type { PageOrigins } from '../index.ts'

export interface PageTicketDeps {
  readonly tickets: Pick<Tickets, 'issue'>
  readonly pages: Pick<PageOrigins, 'originOf' | 'isOn'>
}

/** Where a browser opens the page of an agent's own, once. Throws `refused` where there are none. */
export function pageTicket(
  { tickets, pages }: PageTicketDeps,
  holder: TicketHolder,
  machine: Machine,
): { readonly url: string; readonly expiresAt: UnixMs } {
  const origin = pages.originOf(machine.id)
  if (origin === null)
    throw new AppError('refused', 'Pages of agents are off here: OAUTH3_HOST_PAGES gives them an origin.')
  const kind = kindOf(machine)
  if (kind !== 'openclaw') throw new AppError('refused', `A ${kind} has no page of its own.`)
  const { ticket, expiresAt } = tickets.issue(holder, { machine: machine.id, purpose: 'page' })
  return { url: `${origin}/?ticket=${ticket}`, expiresAt }
}
