/**
 * The DevTools Protocol of an agent's browser: what Chromium's own HTTP answers (https://chromedevtools.github.io/devtools-protocol, "HTTP
 * Endpoints"), with addresses of ours in them, each of which opens one WebSocket, once. Behind it is a Chromium of the session's own.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import express, { type Request, type Router } from 'express'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { AuditLog } from '../../audit/index.ts'
import type { BrowserConnection } from '../../hosting/agents/index.ts'
import { type Agents, bearerToken } from '../../identity/agents/index.ts'
import { agentActor } from '../../identity/index.ts'
import type { Tickets } from '../../identity/tickets/index.ts'
import {
  type AgentId,
  AppError,
  type Clock,
  plainAddress,
  type Storage,
  sha256Hex,
} from '../../kernel/index.ts'
import {
  type AgentGate,
  createEdge,
  createErrorAnswer,
  createForAgent,
  type Metrics,
  sendJson,
} from '../agent-api/index.ts'
import { callerGone, refuseUpgrade } from '../index.ts'
import { createOpenSockets } from '../open-sockets/index.ts'
import { askFront, type TargetAnswer, targetAnswer, versionAnswer } from './front.ts'
import { joinBrowser } from './join.ts'
import { createCdpSessions } from './sessions.ts'

export interface CdpDeps {
  readonly gate: AgentGate
  readonly metrics: Metrics
  readonly storage: Storage
  readonly log: Logger
  readonly clock: Clock
  readonly tickets: Tickets
  readonly agents: Pick<Agents, 'assertStill'>
  readonly audit: Pick<AuditLog, 'append'>
  /** Throws `not_found` for an agent that has none, or where none are hosted. */
  readonly openBrowser: (agent: AgentId, signal: AbortSignal) => Promise<BrowserConnection>
}

export interface Cdp extends Disposable {
  /** To be mounted at /cdp. */
  readonly router: Router
  /** Whether the WebSocket of this address is one that was told here. */
  knows(url: string): boolean
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const ASK_MS = 90_000
const SOCKET_PATH =
  /^\/cdp\/devtools\/(?:browser|page\/(?<target>[\w-]{1,64}))\/(?<session>[\w-]{1,64})\?ticket=(?<ticket>[\w-]{1,64})$/

export function createCdp(deps: CdpDeps): Cdp {
  const { storage, tickets, agents } = deps
  const open = createOpenSockets(deps.log)
  const sessions = createCdpSessions(deps.clock)
  const forAgent = createForAgent(deps)
  const router = express.Router()
  router.use(createEdge(deps.metrics))

  const ask = async <T>(
    agent: AgentId,
    method: string,
    path: string,
    answer: z.ZodType<T>,
    gone: AbortSignal,
  ) => {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(ASK_MS)])
    const { stream } = await deps.openBrowser(agent, signal)
    return await askFront(stream, { method, path, answer, signal })
  }
  /** Opens by itself, once: clients send their token to where they ask, and not always on. */
  const address = (request: Request, agent: AgentId, session: string, target: string | null): string => {
    const use = { machine: placeOf(session, target), purpose: 'cdp' } as const
    const { ticket } = tickets.issue(
      { kind: 'agent', tenant: storage.tenant, agent, token: tokenOf(request) },
      use,
    )
    const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'wss' : 'ws'
    const path = target === null ? 'browser' : `page/${target}`
    return `${scheme}://${request.headers.host ?? 'localhost'}/cdp/devtools/${path}/${session}?ticket=${ticket}`
  }
  const pageOf = (request: Request, agent: AgentId, session: string, target: TargetAnswer) => ({
    ...target,
    webSocketDebuggerUrl: address(request, agent, session, target.id),
  })
  const call = { surface: 'http', limit: 'read', action: 'browser.use' } as const

  router.get(
    '/json/version{/}',
    forAgent(call, async ({ agent: { id } }, request, response) => {
      const version = await ask(id, 'GET', '/version', versionAnswer, callerGone(response))
      sendJson(response, 200, {
        ...version,
        webSocketDebuggerUrl: address(request, id, sessions.begin(id), null),
      })
    }),
  )
  router.get(
    ['/json{/}', '/json/list{/}'],
    forAgent(call, async ({ agent: { id } }, request, response) => {
      const gone = callerGone(response)
      const pages: object[] = []
      for (const session of sessions.of(id)) {
        const found = await ask(
          id,
          'GET',
          `/sessions/${session}/list`,
          z.array(targetAnswer).max(1_000),
          gone,
        )
        pages.push(...found.map((target) => pageOf(request, id, session, target)))
      }
      sendJson(response, 200, pages)
    }),
  )
  router.put(
    '/json/new{/}',
    forAgent(call, async ({ agent: { id } }, request, response) => {
      const session = sessions.begin(id)
      const { search } = new URL(request.url, 'http://localhost')
      const target = await ask(
        id,
        'PUT',
        `/sessions/${session}/new${search}`,
        targetAnswer,
        callerGone(response),
      )
      sendJson(response, 200, pageOf(request, id, session, target))
    }),
  )
  router.use(() => {
    throw new AppError('not_found', 'There is /cdp/json/version, /cdp/json/list and PUT /cdp/json/new.')
  })
  router.use(createErrorAnswer(deps.log))

  async function join(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { target = null, session = '', ticket = '' } = SOCKET_PATH.exec(request.url ?? '')?.groups ?? {}
    const holder = tickets.take(ticket, { machine: placeOf(session, target), purpose: 'cdp' })
    const agent = sessions.ownerOf(session)
    if (holder?.kind !== 'agent' || holder.tenant !== storage.tenant || holder.agent !== agent)
      throw new AppError('unauthenticated', 'This address was good once; ask for another one.')
    const assertStill = (): void => agents.assertStill(agent, holder.token, peerOf(request))
    assertStill()
    const use = sessions.use(session)
    if (use === undefined) throw new AppError('rate_limited', 'There are too many connections to browsers.')
    socket.once('close', () => use[Symbol.dispose]())
    await open.add({
      ...{ of: deps, actor: agentActor(agent), purpose: 'cdp', to: { target: target ?? 'browser' } },
      ...{ by: 'ticket', connection: socket, ended: closeOf(socket) },
      still: () => passes(assertStill),
      cut: () => socket.destroy(),
    })
    const path = `/sessions/${session}/${target === null ? 'browser' : `page/${target}`}`
    const until = AbortSignal.timeout(ASK_MS)
    await joinBrowser({ request, socket, head, path, connection: await deps.openBrowser(agent, until) })
  }

  return {
    router,
    knows: (url) => sessions.ownerOf(SOCKET_PATH.exec(url)?.groups?.session ?? '') !== undefined,
    upgrade(request, socket, head) {
      socket.on('error', () => {})
      join(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, deps.log))
    },
    [Symbol.dispose]: () => open[Symbol.dispose](),
  }
}

const tokenOf = ({ headers }: Request): string => sha256Hex(bearerToken(headers.authorization) ?? '')
const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress)

/** What a ticket opens: one session's browser, or one target of it. */
const placeOf = (session: string, target: string | null): string => `${session}/${target ?? ''}`

const closeOf = (socket: Duplex): Promise<object> =>
  new Promise((resolve) => {
    if (socket.closed) resolve({})
    else socket.once('close', () => resolve({}))
  })

function passes(assertion: () => void): boolean {
  try {
    assertion()
    return true
  } catch {
    return false
  }
}
