import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import {
  ACCOUNT_ROUTES,
  type AccountRoutes,
  type AccountScope,
  CHAT_ROUTES,
} from '../../contracts/accounts/index.ts'
import type { Route } from '../../contracts/index.ts'
import type { Action } from '../../identity/index.ts'
import { AppError, type Clock } from '../../kernel/index.ts'
import { createOrigins, type OriginsDeps } from '../console/index.ts'
import { answerApiError, knownError, mountRoutes, type RouteCaller } from '../index.ts'
import { mountBrowsers } from './browsers.ts'
import { type AccountCaller, assertMay, type Credential, callerOf, credentialOf } from './caller.ts'
import { answerOpenAiError, createChatCompletions } from './chat-completions.ts'
import { type AccountCall, accountHandlers, type HandlerDeps } from './handlers.ts'
import { createAccountsOpenApi } from './openapi.ts'
import { type ApiPlace, apiPlaceOf } from './place.ts'

export interface AccountsApiDeps extends HandlerDeps, OriginsDeps {
  readonly version: string
  readonly clock: Pick<Clock, 'now'>
  readonly log: { error(details: object, message: string): void }
}

interface Begun {
  readonly place: ApiPlace
  readonly credential: Credential
  readonly response: ServerResponse
}

const MAX_BODY_BYTES = 16 * 1_024

/** Answers what accounts and their programs call below `/api/`. */
export function createAccountsApi(
  deps: AccountsApiDeps,
): (request: IncomingMessage, response: ServerResponse) => void {
  const origins = createOrigins(deps)
  const calls = new WeakMap<IncomingMessage, Begun>()
  const openApi = createAccountsOpenApi(deps.version)
  const refuse = async (request: IncomingMessage, response: ServerResponse, error: unknown) => {
    if (response.headersSent) return void response.destroy()
    const known = await told(deps, calls.get(request), knownError(error, deps.log))
    if (isChat(request)) answerOpenAiError(response, known)
    else answerApiError(response, known, { detail: known.message })
  }

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  const { path, maxBodyBytes } = CHAT_ROUTES.completeChat
  const begunOf = (request: IncomingMessage): Begun => {
    const begun = calls.get(request)
    if (begun === undefined) throw new AppError('internal', 'A call came in past its checks.')
    return begun
  }
  app.use(
    path,
    // Before its body, which is larger than all others: nobody's is read.
    (request, _response, next) => {
      chatCaller(deps, begunOf(request))
      next()
    },
    express.json({ limit: maxBodyBytes, inflate: false }),
  )
  app.use(express.json({ limit: MAX_BODY_BYTES, inflate: false }))
  app.get('/api/openapi.json', (_request, response) => void response.json(openApi))
  mountRoutes(app, ACCOUNT_ROUTES, (request) => callerFor(deps, begunOf(request)))
  const chats = createChatCompletions({ now: () => deps.clock.now() })
  app.post(path, async (request, response) => {
    const begun = begunOf(request)
    const caller = chatCaller(deps, begun)
    await chats.answer(request.body, caller, () => isStill(deps, begun), response)
  })
  mountBrowsers(app, {
    tenants: deps.tenants,
    callerFor: (request, scope) => signedIn(deps, begunOf(request), scope),
  })
  app.use(() => {
    throw new AppError('not_found', 'No such path; see /api/openapi.json.')
  })
  const answerError: express.ErrorRequestHandler = (error, request, response, _next) =>
    void refuse(request, response, error)
  app.use(answerError)

  return (request, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    try {
      const place = apiPlaceOf(origins, request)
      calls.set(request, { place, credential: credentialOf(request, place.cookie), response })
      app(request, response)
    } catch (error) {
      void refuse(request, response, error)
    }
  }
}

const isChat = ({ url = '' }: IncomingMessage): boolean => url.startsWith(CHAT_ROUTES.completeChat.path)

function signedIn(deps: AccountsApiDeps, { credential }: Begun, scope: AccountScope): AccountCaller {
  const caller = callerOf(deps.tenants(), deps.accessTokens, credential, scope)
  if (caller === undefined) throw new AppError('unauthenticated', 'Sign in: POST /api/auth/login.')
  return caller
}

function chatCaller(deps: AccountsApiDeps, begun: Begun): AccountCaller {
  const { scope, action } = CHAT_ROUTES.completeChat
  const caller = signedIn(deps, begun, scope)
  assertMay(caller, action)
  return caller
}

/** A session, a key or a membership may end while an answer comes. */
function isStill(deps: AccountsApiDeps, begun: Begun): boolean {
  try {
    chatCaller(deps, begun)
    return true
  } catch {
    return false
  }
}

/** Who asks is settled when the body is there: a session or key may have ended since its head came (TOCTOU). */
function callerFor(
  deps: AccountsApiDeps,
  { place, credential, response }: Begun,
): RouteCaller<AccountRoutes> {
  let call: AccountCall = { place, response, caller: undefined }
  return {
    assertAllowed({ scope, ...route }: AccountRoutes[keyof AccountRoutes] & Route) {
      const caller = callerOf(deps.tenants(), deps.accessTokens, credential, scope)
      call = { ...call, caller }
      if (scope === 'anyone') return
      if (caller === undefined) throw new AppError('unauthenticated', 'Sign in: POST /api/auth/login.')
      if (route.action !== undefined) assertMay(caller, route.action as Action)
    },
    handlers: accountHandlers(deps, () => call),
  }
}

/** Failed sign-ins count against the address with those of agents and the console, and are told to the audit with them. */
async function told(deps: AccountsApiDeps, begun: Begun | undefined, error: AppError): Promise<AppError> {
  const gate = deps.tenants()[0]?.gate
  if (gate === undefined || begun === undefined || error.code !== 'unauthenticated') return error
  const peer = { socket: { remoteAddress: begun.place.address } }
  const known = await gate.failedLogin(peer, error)
  await gate.refused(peer, known, { surface: 'http', toRun: false })
  return known
}
