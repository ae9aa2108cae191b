/** What Chromium's own HTTP answers, for whoever has been let in to the browser of an agent. */
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { BrowserConnection } from '../../hosting/agents/index.ts'
import type { Actor } from '../../identity/index.ts'
import type { TicketHolder, Tickets } from '../../identity/tickets/index.ts'
import { type AgentId, AppError } from '../../kernel/index.ts'
import { sendJson } from '../agent-api/index.ts'
import { callerGone } from '../index.ts'
import { askFront, type TargetAnswer, targetAnswer, versionAnswer } from './front.ts'
import type { CdpSessions } from './sessions.ts'

/** Who uses the browser of an agent: the agent, or an account whose agent that is. */
export interface CdpUser {
  /** Its sessions are those of this, and no others'. */
  readonly key: string
  readonly agent: AgentId
  readonly actor: Actor
  /** By what it asks for addresses now. */
  readonly holder: TicketHolder
  /** Throws once what an address was asked for by is not good any more, or not for who comes from there. */
  assertStill(holder: TicketHolder, peer: string): void
}

type Answer = (user: CdpUser, request: Request, response: Response) => Promise<void>

/** Each throws what `openBrowser` throws, and `sandbox_unavailable`. */
export type CdpAnswers = Readonly<Record<'version' | 'list' | 'create', Answer>>

/** Below /cdp. Chromium takes PUT alone for a new page, and took GET before version 111, which clients still send. */
export const CDP_PATHS = [
  { methods: ['get'], paths: ['/json/version{/}'], answer: 'version' },
  { methods: ['get'], paths: ['/json{/}', '/json/list{/}'], answer: 'list' },
  { methods: ['put', 'get'], paths: ['/json/new{/}'], answer: 'create' },
] as const satisfies readonly {
  methods: readonly ('get' | 'put')[]
  paths: readonly string[]
  answer: keyof CdpAnswers
}[]
export const NO_SUCH_PATH = 'There is /cdp/json/version, /cdp/json/list and PUT /cdp/json/new.'

const NAMES = '(?:secret|token|access_token|api_?key)='
const IN_ADDRESS = new RegExp(`[?&]${NAMES}`, 'i')
/** Behind this path stands the address of a page, which may have such a word. */
const IN_NEW = new RegExp(`/json/new/?[?](?:instance=[^&]*&)?${NAMES}`, 'i')

/** Addresses are kept in logs and histories (RFC 6750, 2.3): a credential there is refused, be it good or not. */
export function assertNoneInAddress(url: string): void {
  if ((/\/json\/new\/?(?:\?|$)/.test(url) ? IN_NEW : IN_ADDRESS).test(url))
    throw new AppError(
      'unauthenticated',
      'Put no secret into the address: send your token or key as "Authorization: Bearer …". What stood there may be in logs.',
    )
}

/** What a ticket opens: one session's browser, or one target of it. */
export const placeOf = (session: string, target: string | null): string => `${session}/${target ?? ''}`

const ASK_MS = 90_000

export function createCdpAnswers({
  sessions,
  tickets,
  openBrowser,
}: {
  readonly sessions: CdpSessions<CdpUser>
  readonly tickets: Pick<Tickets, 'issue'>
  readonly openBrowser: (agent: AgentId, signal: AbortSignal) => Promise<BrowserConnection>
}): CdpAnswers {
  const ask = async <T>(
    { agent }: CdpUser,
    method: string,
    path: string,
    answer: z.ZodType<T>,
    gone: AbortSignal,
  ) => {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(ASK_MS)])
    const { stream } = await openBrowser(agent, signal)
    return await askFront(stream, { method, path, answer, signal })
  }
  /** Opens by itself, once: clients send their token to where they ask, and not always on. */
  const address = (request: Request, user: CdpUser, session: string, target: string | null): string => {
    const { ticket } = tickets.issue(user.holder, { machine: placeOf(session, target), purpose: 'cdp' })
    const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'wss' : 'ws'
    const path = target === null ? 'browser' : `page/${target}`
    return `${scheme}://${request.headers.host ?? 'localhost'}/cdp/devtools/${path}/${session}?ticket=${ticket}`
  }
  const pageOf = (request: Request, user: CdpUser, session: string, target: TargetAnswer) => ({
    ...target,
    webSocketDebuggerUrl: address(request, user, session, target.id),
  })

  return {
    async version(user, request, response) {
      const version = await ask(user, 'GET', '/version', versionAnswer, callerGone(response))
      const webSocketDebuggerUrl = address(request, user, sessions.begin(user), null)
      sendJson(response, 200, { ...version, webSocketDebuggerUrl })
    },
    async list(user, request, response) {
      const gone = callerGone(response)
      const pages: object[] = []
      const targets = z.array(targetAnswer).max(1_000)
      for (const session of sessions.of(user)) {
        const found = await ask(user, 'GET', `/sessions/${session}/list`, targets, gone)
        pages.push(...found.map((target) => pageOf(request, user, session, target)))
      }
      sendJson(response, 200, pages)
    },
    async create(user, request, response) {
      const session = sessions.begin(user)
      const path = `/sessions/${session}/new${pageAddress(request.url)}`
      const target = await ask(user, 'PUT', path, targetAnswer, callerGone(response))
      sendJson(response, 200, pageOf(request, user, session, target))
    },
  }
}

/** The whole query is the address of a page, but for an `instance` that stands before it. */
function pageAddress(url: string): string {
  const page = new URL(url, 'http://localhost').search.replace(/^\?(?:instance=[^&]*(?:&|$))?/, '')
  return page === '' ? '' : `?${page}`
}
