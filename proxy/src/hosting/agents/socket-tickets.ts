import type { Action } from '../../identity/index.ts'
import type { TicketUse } from '../../identity/tickets/index.ts'

export type SocketPurpose = Exclude<TicketUse['purpose'], 'cdp' | 'vnc' | 'page'>

/** What whoever asks for a ticket must be allowed to do; whoever comes by it is asked again. */
export const TICKET_ACTIONS = {
  cloudbot: 'hosted_agent.operate',
} as const satisfies Readonly<Record<SocketPurpose, Action>>

/** Where a ticket opens its WebSocket. */
export const ticketPath = (machine: string, purpose: SocketPurpose, ticket: string): string =>
  `/api/instances/${machine}/${purpose}?ticket=${ticket}`
