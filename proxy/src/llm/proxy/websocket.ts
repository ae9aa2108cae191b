import type { Socket } from 'node:net'
import { authorityOf, type EgressDial } from '../../egress/index.ts'
import { type EarlyBytes, openWebSocket as openRelay } from '../../egress/relay/index.ts'
import type { Scrubber } from '../../scrub/index.ts'
import type { Provider } from '../providers/index.ts'
import type { Outcome } from './forward.ts'
import { approvedFor } from './upstreams.ts'

/** A realtime session. Its tokens are told in messages, which pass unread: it is counted as one request. */
export function openWebSocket(opening: {
  readonly socket: Socket
  readonly early: EarlyBytes
  readonly provider: Provider
  readonly target: string
  readonly headers: string[]
  readonly scrubber: Scrubber | null
  readonly dial: EgressDial
  readonly unreachable: (error: unknown) => void
  readonly over: (outcome: Outcome) => void
}): void {
  const { socket, provider } = opening
  let status: number | null = null
  socket.once('close', () =>
    opening.over({
      status,
      refusal: null,
      whole: status === 101,
      left: false,
      sent: true,
      textBytes: null,
      usage: null,
      isFinal: false,
      model: null,
    }),
  )
  openRelay({
    socket,
    early: opening.early,
    target: provider,
    approved: approvedFor(provider),
    method: 'GET',
    path: opening.target,
    headers: [...opening.headers, 'host', authorityOf(provider)],
    scrubber: opening.scrubber,
    dial: opening.dial,
    onStatus(code) {
      status = code
    },
    onRequestBytes() {},
    onResponseBytes() {},
    refuse: opening.unreachable,
    fail: opening.unreachable,
  })
}
