import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { SocketPurpose } from '../../contracts/index.ts'
import type { Machine } from '../../hosting/machines/index.ts'
import type { Action, Actor, Principal } from '../../identity/index.ts'
import type { TicketUse } from '../../identity/tickets/index.ts'
import type { ConsoleTenant } from '../console/index.ts'

/** One WebSocket, whose opening was admitted. */
export interface SocketCall {
  readonly of: ConsoleTenant
  readonly machine: Machine
  readonly principal: Principal
  readonly actor: Actor
  /** Of its address, without the ticket. */
  readonly query: URLSearchParams
  /**
   * Aborts when it is cut: what it holds of the machine ends with it, at once. Of a socket that closed by itself, which tells why, it aborts a
   * moment later.
   */
  readonly signal: AbortSignal
  /** Counts what another WebSocket that is joined to it holds of messages that are not whole; beyond the tenant's share `tooMuch`. */
  watchBytes(socket: WebSocket, raw: Duplex, tooMuch: () => void): void
}

/** What one path is for; the path table of the surface has a row for each purpose. */
export interface SocketRow {
  /** What whoever opens it must be allowed to do. */
  readonly action: Action
  /** Which ticket opens it. */
  ticketFor(query: URLSearchParams): TicketUse['purpose']
  /** A longer message ends it (1009). */
  readonly maxMessageBytes: number
  /** Of one tenant, at once. */
  readonly maxOpen: number
  /**
   * Serves it from here on. The socket is open and paused: `resume` it when what it is joined to is there. Resolves once it is joined; what
   * is thrown closes it. Pings, revocation and the audit are the surface's.
   */
  serve(socket: WebSocket, call: SocketCall): Promise<void>
}

/** By the last segment of its path. */
export type SocketRows = { readonly [purpose in SocketPurpose]?: SocketRow }
