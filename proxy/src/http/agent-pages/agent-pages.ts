/**
 * OpenClaw's own page (its Control UI) of each hosted agent, on an origin of its own: a visit begins with a ticket; what the page asks for goes to the
 * gateway of that agent's machine, with the gateway's token put in here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { hostedHere, requestOver } from '../../hosting/agents/index.ts'
import { assertAuthorized, resourceOf } from '../../identity/index.ts'
import type { Tickets } from '../../identity/tickets/index.ts'
import { AppError, type Clock, isLoopbackAddress, plainAddress } from '../../kernel/index.ts'
import type { AccountSockets } from '../account-sockets/index.ts'
import { type SignedIn, signedInNow } from '../accounts-api/index.ts'
import type { ConsoleTenant } from '../console/index.ts'
import { answerApiError, callerGone, knownError, type PageOrigins, refuseUpgrade } from '../index.ts'
import { createPageVisits, type Visit } from './page-visits.ts'
import {
  answerAnew,
  answerLedHere,
  assertOwnPage,
  isBegunElsewhere,
  isLedHere,
  isNavigation,
  setWalls,
} from './page-walls.ts'

interface AgentPagesDeps {
  readonly origins: PageOrigins
  readonly tenants: () => readonly ConsoleTenant[]
  readonly tickets: Pick<Tickets, 'take'>
  readonly sockets: Pick<AccountSockets, 'serve'>
  readonly isTrustedProxy: (address: string) => boolean
  readonly clock: Pick<Clock, 'now'>
  readonly log: { error(details: object, message: string): void }
}

/** For requests whose Host is of an agent's page. */
export interface AgentPages {
  handle(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const ACTION = 'hosted_agent.operate'
const TICKET = /^\/\?ticket=(?<ticket>[\w-]{1,64})$/
const ASK_MS = 120_000
/** From the opening of a page to its WebSocket. */
const OPENING_MS = 60_000
const MAX_PATH_CHARS = 2_048
const TO_GATEWAY = [
  'accept',
  'accept-language',
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
  'range',
]
const TO_BROWSER = [
  ...['content-type', 'content-length', 'content-encoding', 'content-range', 'accept-ranges'],
  ...['etag', 'last-modified', 'cache-control', 'vary'],
]

export function createAgentPages(deps: AgentPagesDeps): AgentPages {
  const { origins, tickets, clock } = deps
  const visits = createPageVisits(clock)
  const cookieName = origins.isSecure ? '__Host-oauth3_page' : 'oauth3_page'

  /** Throws for whoever may not be here by this way; the machine that the Host names, and its origin. */
  function placeOf(request: IncomingMessage): { readonly machine: string; readonly origin: string } {
    const machine = origins.machineOf(request.headers.host)
    const origin = machine && origins.originOf(machine)
    if (!machine || !origin) throw new AppError('origin_not_allowed', 'This name is no agent’s.')
    const peer = plainAddress(request.socket.remoteAddress)
    const isProxied = 'x-forwarded-for' in request.headers
    const isGood = origins.isSecure
      ? deps.isTrustedProxy(peer) && request.headers['x-forwarded-proto'] === 'https'
      : isLoopbackAddress(peer) && !isProxied
    if (!isGood) throw new AppError('origin_not_allowed', `Come by ${origin}.`)
    return { machine, origin }
  }
  const holderNow = ({ holder }: Pick<Visit, 'holder'>): SignedIn<ConsoleTenant> | undefined => {
    const of = deps.tenants().find(({ tenant }) => tenant === holder.tenant)
    return of && signedInNow(of, holder, 'machines')
  }
  function visitOf(
    request: IncomingMessage,
    machine: string,
  ): Visit & { readonly by: SignedIn<ConsoleTenant> } {
    const visit = visits.find(cookieOf(request, cookieName), machine)
    const by = visit && holderNow(visit)
    if (visit === undefined || by === undefined)
      throw new AppError('unauthenticated', 'Nobody is signed in here; open this page from the console.')
    assertAuthorized(by.principal, ACTION, resourceOf(by.of.tenant, ACTION))
    return Object.assign(visit, { by })
  }

  function begin(response: ServerResponse, machine: string, ticket: string): void {
    const holder = tickets.take(ticket, { machine, purpose: 'page' })
    if (holder === undefined)
      throw new AppError(
        'unauthenticated',
        'This link was used or is over; open the page from the console again.',
      )
    const attributes = origins.isSecure ? '; Secure' : ''
    response.setHeader(
      'Set-Cookie',
      `${cookieName}=${visits.begin(holder, machine)}; HttpOnly; SameSite=Lax; Path=/${attributes}`,
    )
    // What was kept for another visitor of this origin goes.
    response.setHeader('Clear-Site-Data', '"cache"')
    response.writeHead(303, { Location: '/', 'Content-Length': 0 })
    response.end()
  }

  /** One that was only left open finds its agent as it is. */
  async function assertAwake(visit: Visit, { of }: SignedIn<ConsoleTenant>): Promise<void> {
    if (clock.now() < visit.mayWakeUntil) return
    const { observed } = await hostedHere(of.hosting).find(visit.machine)
    if (observed !== 'running')
      throw new AppError('sandbox_unavailable', 'The agent sleeps; load the page again to wake it.')
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { machine, origin } = placeOf(request)
    setWalls(response, origins.isSecure)
    response.setHeader('Cache-Control', 'no-store')
    assertOwnPage(request, origin)
    const { url: path = '/' } = request
    if (!path.startsWith('/') || path.length > MAX_PATH_CHARS)
      throw new AppError('not_found', 'No such page.')
    const { ticket } = TICKET.exec(path)?.groups ?? {}
    if (isLedHere(request, origin, path === '/' || ticket !== undefined)) return answerLedHere(response)
    if (ticket !== undefined) return begin(response, machine, ticket)
    const visit = visitOf(request, machine)
    await visit.by.of.gate.take('read', `page of ${machine}`)
    if (isBegunElsewhere(request)) return answerAnew(response)
    if (isNavigation(request)) visit.mayWakeUntil = clock.now() + OPENING_MS
    await assertAwake(visit, visit.by)
    const signal = AbortSignal.any([callerGone(response), AbortSignal.timeout(ASK_MS)])
    const { stream, gatewayToken } = await hostedHere(visit.by.of.hosting).openGateway(machine, signal)
    try {
      const headers = { ...picked(request.headers, TO_GATEWAY), authorization: `Bearer ${gatewayToken}` }
      const told = await requestOver(stream, { method: request.method ?? 'GET', path, headers, signal })
      for (const [name, value] of Object.entries(picked(told.headers, TO_BROWSER)))
        response.setHeader(name, value)
      response.writeHead(told.statusCode ?? 502)
      await pipeline(told, response)
    } finally {
      stream.destroy()
    }
  }

  async function open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { machine, origin } = placeOf(request)
    if (request.headers.origin !== origin)
      throw new AppError('origin_not_allowed', "Only the agent's own page may open this.")
    const visit = visitOf(request, machine)
    await assertAwake(visit, visit.by)
    deps.sockets.serve(
      { request, socket, head },
      { purpose: 'cloudbot', machine, holder: visit.holder, by: 'page' },
    )
  }

  return {
    handle(request, response) {
      answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy()
        else answerApiError(response, knownError(error, deps.log))
      })
    },
    upgrade(request, socket, head) {
      socket.on('error', () => {})
      open(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, deps.log))
    },
  }
}

/** Undefined where there are several: one of them was put there by somebody else (cookie tossing). */
function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined
}

function picked(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}
