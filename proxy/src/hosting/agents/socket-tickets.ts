import type { Action } from '../../identity/index.ts'
import type { TicketUse } from '../../identity/tickets/index.ts'

export type SocketPurpose = Exclude<TicketUse['purpose'], 'cdp' | 'page'>

/** What whoever asks for a ticket must be allowed to do; whoever comes by it is asked again. */
export const TICKET_ACTIONS = {
  cloudbot: 'hosted_agent.operate',
  vnc: 'hosted_agent.desktop',
  vnc_view: 'hosted_agent.desktop',
} as const satisfies Readonly<Record<SocketPurpose, Action>>

const PATHS: Readonly<Record<SocketPurpose, string>> = {
  cloudbot: 'cloudbot?',
  vnc: 'vnc?',
  vnc_view: 'vnc?view=1&',
}

/** Where a ticket opens its WebSocket. */
export const ticketPath = (machine: string, purpose: SocketPurpose, ticket: string): string =>
  `/api/instances/${machine}/${PATHS[purpose]}ticket=${ticket}`
