import { z } from 'zod'
import type { DescribedRoute } from '../index.ts'

const query = z.object({
  /** In the place of the header, which a browser cannot send with it. */
  ticket: z.string().optional().describe('in the place of the header; good once, within half a minute'),
})

/** WebSockets (RFC 6455), for the reference: they are opened by a GET, and no router has them. */
export const SOCKET_ROUTES = {
  openCloudbot: {
    method: 'GET',
    path: '/api/instances/:id/cloudbot',
    summary:
      "WebSocket: the protocol of the gateway of the agent's OpenClaw, whose token is put into `connect` inside; wakes the agent. Close codes are the gateway's, or 4401, 4403, 4404, 4429 and 4503.",
    scope: 'machines',
    action: 'hosted_agent.operate',
    query,
    answer: z.unknown(),
    answers: { 101: { description: 'It is open.' } },
    errors: ['not_found', 'locked'],
  },
  openVnc: {
    method: 'GET',
    path: '/api/instances/:id/vnc',
    summary:
      "WebSocket: RFB 3.8 (VNC) of the agent's desktop, without a security type; wakes the desktop. Close codes are 1008 for what a viewer may not send, or 4401, 4403, 4404, 4429 and 4503.",
    scope: 'machines',
    action: 'hosted_agent.desktop',
    query: query.extend({
      view: z.literal('1').optional().describe('to look alone: keys, pointer and clipboard are left out'),
    }),
    answer: z.unknown(),
    answers: { 101: { description: 'It is open.' } },
    errors: ['not_found', 'locked'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute>>
