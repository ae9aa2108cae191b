/** What a WebSocket to a hosted agent is for: the last segment of its path. */
export const SOCKET_PURPOSES = ['cloudbot', 'vnc'] as const
export type SocketPurpose = (typeof SOCKET_PURPOSES)[number]

/** What a ticket for one is asked for; `vnc_view`: to see a desktop and not to use it. */
export const TICKET_PURPOSES = [...SOCKET_PURPOSES, 'vnc_view'] as const
export type TicketPurpose = (typeof TICKET_PURPOSES)[number]
