import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import express from 'express'
import { CONSOLE_PREFIX, CONSOLE_ROUTES } from '../../contracts/console/index.ts'
import { AppError, type Clock } from '../../kernel/index.ts'
import { answerApiError, createErrorHandler, knownError, mountRoutes } from '../index.ts'
import type { AccountDeps } from './account-handlers.ts'
import { assertOwnScript, assertRead, setSecurityHeaders } from './browser-security.ts'
import { type Caller, callerNow, callerOfCookie } from './caller.ts'
import { createEventStreams } from './event-streams.ts'
import { createOrigins, type OriginsDeps } from './origins.ts'
import type { PageTicketDeps } from './page-ticket.ts'
import { assertSignedIn, type ConsoleCall } from './session-answers.ts'
import { sessionHandlers } from './session-handlers.ts'
import { createStaticFiles } from './static-files.ts'
import type { ConsoleTenant } from './tenant.ts'

export interface ConsoleDeps extends OriginsDeps, AccountDeps, PageTicketDeps {
  /** The installation's own first. */
  readonly tenants: () => readonly ConsoleTenant[]
  readonly clock: Clock
  readonly version: string
  readonly log: { error(details: object, message: string): void }
}

/** The web console: its page, its sessions, and what persons may do, behind a session's cookie. */
export interface Console extends Disposable {
  handle(request: IncomingMessage, response: ServerResponse): void
}

const PAGE_FOLDER = join(import.meta.dirname, '../../../console/dist')
/** An assertion of a passkey takes a few KiB. */
const MAX_BODY_BYTES = 16 * 1_024

export function createConsole(deps: ConsoleDeps): Console {
  const origins = createOrigins(deps)
  const files = createStaticFiles(PAGE_FOLDER)
  const streams = createEventStreams(deps)
  const calls = new WeakMap<IncomingMessage, ConsoleCall>()
  const router = express()
  router.disable('x-powered-by')
  router.disable('etag')
  router.use(express.json({ limit: MAX_BODY_BYTES, inflate: false }))
  mountRoutes(router, CONSOLE_ROUTES, (request) => {
    const begun = calls.get(request)
    if (begun === undefined) throw new AppError('internal', 'A call of the console came in past its checks.')
    // TOCTOU: its body may have come long after its head, and the session have ended meanwhile.
    const call = { ...begun, caller: begun.caller && callerNow(begun.caller, begun.place.origin) }
    return {
      handlers: sessionHandlers(deps, call),
      assertAllowed: ({ scope }) => {
        if (scope !== 'anyone') assertSignedIn(call.caller)
      },
    }
  })
  router.use(() => {
    throw new AppError('not_found', 'The console has no such route.')
  })
  router.use(createErrorHandler(deps.log))

  const answerApi = async (
    request: IncomingMessage,
    response: ServerResponse,
    place: ConsoleCall['place'],
  ): Promise<void> => {
    assertOwnScript(request, place.origin)
    const caller = callerOfCookie(deps.tenants(), request, place)
    caller?.of.sessions.seen(caller.session)
    request.url = (request.url ?? '').slice(CONSOLE_PREFIX.length)
    if (/^\/events(?:\?|$)/.test(request.url) && request.method === 'GET') {
      assertRead(request)
      const { of, session } = assertSignedIn(caller)
      streams.open(request, response, of, session)
    } else if (request.url.startsWith('/v1/')) {
      const signedIn = assertSignedIn(caller)
      await takeTurn(signedIn, request.method === 'GET' ? 'read' : 'execute')
      const by = () => assertSignedIn(callerNow(signedIn, place.origin)).by
      signedIn.of.api.handle(request, response, by)
    } else {
      calls.set(request, { place, caller, response })
      router(request, response)
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const place = origins.placeOf(request)
    setSecurityHeaders(response, place.kind === 'console' && place.isSecure)
    const path = pathOf(request)
    if (place.kind === 'refused') throw new AppError('origin_not_allowed', place.why)
    const isApi = path === CONSOLE_PREFIX || path.startsWith(`${CONSOLE_PREFIX}/`)
    if (place.kind === 'elsewhere') {
      if (isApi) throw new AppError('origin_not_allowed', `The console is at ${place.origin}/console/.`)
      assertRead(request)
      return redirect(response, 307, place.origin + path)
    }
    if (isApi) return await answerApi(request, response, place)
    assertRead(request)
    if (path === '/console') return redirect(response, 308, '/console/')
    await files.answer(path.slice('/console/'.length), request, response)
  }

  return {
    handle(request, response) {
      answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy()
        else answerApiError(response, knownError(error, deps.log))
      })
    },
    [Symbol.dispose]: () => streams[Symbol.dispose](),
  }
}

/**
 * Starvation: changes of all tenants wait in one line and each is a row of the audit, so whoever signed up makes no more of them than an
 * agent may. Who keeps the daemon is not counted. Throws rate_limited.
 */
async function takeTurn({ of, by }: Caller<ConsoleTenant>, limit: 'read' | 'execute'): Promise<void> {
  const { principal } = by
  if (principal.kind === 'session' && principal.of.kind === 'account')
    await of.gate.take(limit, `console ${by.actor}`)
}

/** Without its query. No path of the console has a segment or character that some reader takes for another. */
function pathOf({ url = '' }: IncomingMessage): string {
  const path = url.split('?', 1)[0] ?? ''
  if (path.startsWith(`${CONSOLE_PREFIX}/`)) return path
  if (/^\/console(?:\/[\w.~@-]+)*\/?$/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path)) return path
  throw new AppError('not_found', 'The console has no such page.')
}

function redirect(response: ServerResponse, status: number, location: string): void {
  response.writeHead(status, { Location: location, 'Content-Length': 0 })
  response.end()
}
