import { z } from 'zod'
import { TICKET_PURPOSES } from './socket-purposes.ts'

/** What one WebSocket to a hosted agent is opened for. */
export const ticketBody = z.strictObject({ purpose: z.enum(TICKET_PURPOSES) })
export const ticketParts = {
  /** Good once, for what it was asked for. */
  ticket: z.string(),
  /** Where it opens that, with the ticket in it: of the origin that it was asked for at. */
  path: z.string(),
}
