import { z } from 'zod'

/** What one WebSocket to a hosted agent is opened for. */
export const ticketBody = z.strictObject({ purpose: z.enum(['cloudbot', 'vnc', 'vnc_view']) })
export const ticketParts = {
  /** Good once, for what it was asked for. */
  ticket: z.string(),
  /** Where it opens that, with the ticket in it: of the origin that it was asked for at. */
  path: z.string(),
}
