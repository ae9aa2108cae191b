import type { TicketPurpose } from '../../contracts/index.ts'
import type { Action } from '../../identity/index.ts'

/** What whoever asks for a ticket must be allowed to do; whoever comes by it is asked again. */
export const TICKET_ACTIONS = {
  cloudbot: 'hosted_agent.operate',
  vnc: 'hosted_agent.desktop',
  vnc_view: 'hosted_agent.desktop',
} as const satisfies Readonly<Record<TicketPurpose, Action>>

const PATHS: Readonly<Record<TicketPurpose, string>> = {
  cloudbot: 'cloudbot?',
  vnc: 'vnc?',
  vnc_view: 'vnc?view=1&',
}

/** Where a ticket opens its WebSocket. */
export const ticketPath = (machine: string, purpose: TicketPurpose, ticket: string): string =>
  `/api/instances/${machine}/${PATHS[purpose]}ticket=${ticket}`
