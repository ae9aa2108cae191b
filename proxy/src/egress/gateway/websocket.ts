import type { Socket } from 'node:net'
import { onBehalfOf } from '../../kernel/index.ts'
import { approvedAddresses, createFramePlacer, type EgressDial, scrubberFor } from '../index.ts'
import { openWebSocket as openRelay, readEarly } from '../relay/index.ts'
import type { Allowed } from './evaluate-request.ts'
import type { Outcome } from './outcome.ts'
import { writeRefusal } from './refusal.ts'

export interface Opening {
  readonly socket: Socket
  /** What the code sent behind the head of its request. */
  readonly head: Buffer
  readonly allowed: Allowed
  /** Filled in on the way; complete when the socket is closed. */
  readonly outcome: Outcome
  readonly dial: EgressDial
  readonly fail: (error: unknown) => void
}

/** A run's WebSocket: to the target that was allowed, with the addresses that were approved for it. */
export function openWebSocket({ socket, head, allowed, outcome, dial, fail }: Opening): void {
  const { target, session, origin, prepared } = allowed
  onBehalfOf(session.policy.owner, () =>
    openRelay({
      socket,
      early: readEarly(socket, head),
      target,
      approved: approvedAddresses(session.policy, target),
      method: prepared.method,
      path: prepared.path,
      headers: prepared.headers,
      scrubber: scrubberFor(session.policy),
      sent: prepared.messages === null ? null : createFramePlacer(prepared.messages),
      dial,
      onStatus(status) {
        outcome.status = status
      },
      onRequestBytes(bytes) {
        outcome.requestBytes += bytes
      },
      onResponseBytes(bytes) {
        outcome.responseBytes += bytes
      },
      refuse(rule) {
        outcome.refused = rule
        writeRefusal(socket, { rule, origin, secrets: [] })
      },
      fail,
    }),
  )
}
