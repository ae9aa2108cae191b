/**
 * The WebSockets of accounts, `/api/instances/{id}/{purpose}`: a program says by a header who it is, a browser by a ticket that is good
 * once. Never by a cookie, which a page of another origin would send too (CSWSH), and never by a token in the address, which logs keep.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { SOCKET_PURPOSES, type SocketPurpose } from '../../contracts/index.ts'
import type { AccessTokens } from '../../identity/accounts/index.ts'
import { assertAuthorized, authorize, resourceOf } from '../../identity/index.ts'
import type { TicketHolder, Tickets } from '../../identity/tickets/index.ts'
import { AppError } from '../../kernel/index.ts'
import {
  apiPlaceOf,
  callerOf,
  credentialOf,
  holderOf,
  type SignedIn,
  signedInNow,
} from '../accounts-api/index.ts'
import { type ConsoleTenant, createOrigins, type OriginsDeps } from '../console/index.ts'
import { knownError, refuseUpgrade } from '../index.ts'
import { createOpenSockets } from '../open-sockets/index.ts'
import { CLOSE, closeOf, TOO_MUCH } from './closes.ts'
import { abortAfterClose, closeSoon, closeUnread, holdSocket } from './held-socket.ts'
import type { SocketCall, SocketRow, SocketRows } from './rows.ts'
import { createUnfinishedBytes } from './unfinished-bytes.ts'

interface AccountSocketsDeps extends OriginsDeps {
  readonly tenants: () => readonly ConsoleTenant[]
  readonly accessTokens: AccessTokens
  readonly tickets: Pick<Tickets, 'take'>
  readonly rows: SocketRows
  readonly log: { error(details: object, message: string): void }
}

/** A WebSocket's opening, as node:http hands it over. */
interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

export interface AccountSockets extends Disposable {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** For whoever has established where it comes from and who opens it; whether they may is asked here. */
  serve(upgrade: Upgrade, of: Pick<Opening, 'purpose' | 'machine' | 'holder' | 'by'>): void
}

/** Who opens it, and by what. */
interface Opening {
  readonly purpose: SocketPurpose
  readonly row: SocketRow
  readonly machine: string
  readonly query: URLSearchParams
  readonly holder: TicketHolder
  readonly by: 'header' | 'ticket' | 'page'
  /** The connection below it. */
  readonly raw: Duplex
}

const PATH = new RegExp(
  `^/api/instances/(?<machine>[\\w-]{1,64})/(?<purpose>${SOCKET_PURPOSES.join('|')})(?:\\?(?<query>[^#]{0,500}))?$`,
)
const SCOPE = 'machines'
const NOT_SIGNED_IN = { code: CLOSE.notSignedIn, reason: 'You are not signed in any more.' }
const NOT_ALLOWED = { code: CLOSE.refused, reason: 'You may not do this any more.' }
const NOT_OPEN = { code: CLOSE.unavailable, reason: 'The agent is gone, or everything is stopped.' }
const STOPPING = { code: 1001, reason: 'The daemon is stopping.' }
/** Of all tenants. */
const MAX_SOCKETS = 512

export function createAccountSockets(deps: AccountSocketsDeps): AccountSockets {
  const origins = createOrigins(deps)
  const open = createOpenSockets(deps.log)
  const unfinished = createUnfinishedBytes()
  const servers = new Map<SocketRow, WebSocketServer>()
  const serverOf = (row: SocketRow): WebSocketServer => {
    const server =
      servers.get(row) ??
      new WebSocketServer({
        ...{ noServer: true, clientTracking: false, maxPayload: row.maxMessageBytes },
        // None is agreed on: what is inside is nobody's but the two ends'.
        handleProtocols: () => false,
      })
    servers.set(row, server)
    return server
  }
  const now = (holder: TicketHolder): SignedIn<ConsoleTenant> | undefined => {
    const of = deps.tenants().find(({ tenant }) => tenant === holder.tenant)
    return of && signedInNow(of, holder, SCOPE)
  }

  /** Why it is to end, where whoever opened it may not have it any more. */
  function endOf({
    holder,
    row,
    machine,
  }: Opening): { readonly code: number; readonly reason: string } | null {
    const signedIn = now(holder)
    if (signedIn === undefined) return NOT_SIGNED_IN
    const { of, principal } = signedIn
    if (!authorize(principal, row.action, resourceOf(of.tenant, row.action)).allowed) return NOT_ALLOWED
    return of.hosting?.isOpen(machine) === true ? null : NOT_OPEN
  }

  /** By a header; a refusal is an answer of HTTP, as a program reads it, and counts as a failed sign-in. */
  async function byHeader(request: IncomingMessage, address: string): Promise<TicketHolder> {
    const credential = credentialOf(request, undefined)
    const caller = callerOf(deps.tenants(), deps.accessTokens, credential, SCOPE)
    if (caller !== undefined) return holderOf(caller)
    const refused = new AppError('unauthenticated', 'Send an access token or key, or come by a ticket.')
    const gate = deps.tenants()[0]?.gate
    throw (await gate?.failedLogin({ socket: { remoteAddress: address } }, refused)) ?? refused
  }

  /** Throws where nobody may open it: whose it is by now, and the machine. */
  async function admitted({
    holder,
    row,
    purpose,
    machine: id,
  }: Opening): Promise<Pick<SocketCall, 'of' | 'machine' | 'principal' | 'actor'>> {
    const signedIn = now(holder)
    if (signedIn === undefined) throw new AppError('unauthenticated', NOT_SIGNED_IN.reason)
    const { of, principal } = signedIn
    assertAuthorized(principal, row.action, resourceOf(of.tenant, row.action))
    await of.gate.take('read', `sockets of ${of.tenant}`)
    const machine = (await of.hosting?.list())?.find((one) => one.machine.id === id)?.machine
    if (machine === undefined) throw new AppError('not_found', 'No such instance.')
    if (open.count(of.storage, purpose) >= row.maxOpen || open.size >= MAX_SOCKETS)
      throw new AppError('rate_limited', `At most ${row.maxOpen} are open at once.`)
    return { ...signedIn, machine }
  }

  async function serve(
    socket: WebSocket,
    opening: Opening,
    found: Awaited<ReturnType<typeof admitted>>,
  ): Promise<void> {
    const { row, purpose } = opening
    const { of, machine, actor } = found
    const over = new AbortController()
    abortAfterClose(socket, over)
    const watchBytes: SocketCall['watchBytes'] = (one, raw, tooMuch) =>
      unfinished.watch(of.storage.tenant, one, raw, tooMuch)
    watchBytes(socket, opening.raw, () => closeUnread(socket, opening.raw, CLOSE.tooMany, TOO_MUCH))
    await open.add({
      ...{ of, actor, purpose, to: { machine: machine.id }, by: opening.by },
      ...{ connection: opening.raw, ...holdSocket(socket) },
      still: () => endOf(opening) === null,
      cut(why) {
        over.abort()
        const { code, reason } = why === 'stopping' ? STOPPING : (endOf(opening) ?? NOT_OPEN)
        closeSoon(socket, code, reason)
      },
    })
    if (socket.readyState !== socket.OPEN) return
    await row.serve(socket, { ...found, query: opening.query, signal: over.signal, watchBytes })
  }

  async function opened(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { machine = '', purpose = '', query: text = '' } = PATH.exec(request.url ?? '')?.groups ?? {}
    const row = deps.rows[purpose as SocketPurpose]
    if (row === undefined) throw new AppError('not_found', 'No such WebSocket; see /api/openapi.json.')
    const place = apiPlaceOf(origins, request)
    const query = new URLSearchParams(text)
    const ticket = query.get('ticket')
    query.delete('ticket')
    const of = { purpose: purpose as SocketPurpose, row, machine, query, raw: socket }
    if (ticket === null) {
      const opening: Opening = { ...of, holder: await byHeader(request, place.address), by: 'header' }
      const found = await admitted(opening)
      accept(request, socket, head, row, (accepted) => serve(accepted, opening, found))
      return
    }
    const holder = deps.tickets.take(ticket, { machine, purpose: row.ticketFor(query) })
    accept(request, socket, head, row, async (accepted) => {
      if (holder === undefined)
        throw new AppError('unauthenticated', 'This ticket was used, is over, or is for something else.')
      const opening: Opening = { ...of, holder, by: 'ticket' }
      await serve(accepted, opening, await admitted(opening))
    })
  }

  function accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    row: SocketRow,
    use: (socket: WebSocket) => Promise<void>,
  ): void {
    serverOf(row).handleUpgrade(request, socket, head, (accepted) => {
      accepted.pause()
      accepted.on('error', () => {})
      use(accepted).catch((error: unknown) => {
        const { code, reason } = closeOf(knownError(error, deps.log))
        closeSoon(accepted, code, reason)
      })
    })
  }

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => {})
      opened(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, deps.log))
    },
    serve({ request, socket, head }, of) {
      const row = deps.rows[of.purpose]
      if (row === undefined) throw new AppError('not_found', 'No such WebSocket.')
      const opening: Opening = { ...of, row, query: new URLSearchParams(), raw: socket }
      accept(request, socket, head, row, async (accepted) =>
        serve(accepted, opening, await admitted(opening)),
      )
    },
    [Symbol.dispose]: () => open[Symbol.dispose](),
  }
}
