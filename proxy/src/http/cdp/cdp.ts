/**
 * The DevTools Protocol of an agent's browser: what Chromium's own HTTP answers (https://chromedevtools.github.io/devtools-protocol, "HTTP
 * Endpoints"), with addresses of ours in them, each of which opens one WebSocket, once. Behind it is a Chromium of the session's own. Agents
 * come by their tokens; the accounts' API lets those in whose agents they are.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import express, { type Request, type Router } from 'express'
import type { Logger } from 'pino'
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
  type AgentCaller,
  type AgentGate,
  createEdge,
  createErrorAnswer,
  createForAgent,
  type Metrics,
} from '../agent-api/index.ts'
import { passes, refuseUpgrade } from '../index.ts'
import { createOpenSockets } from '../open-sockets/index.ts'
import {
  assertNoneInAddress,
  CDP_PATHS,
  type CdpAnswers,
  type CdpUser,
  createCdpAnswers,
  NO_SUCH_PATH,
  placeOf,
} from './answers.ts'
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
  /** For agents, to be mounted at /cdp. */
  readonly router: Router
  /** For whoever else was let in: who they are is established by then. */
  readonly answers: CdpAnswers
  /** Whether the WebSocket of this address is one that was told here. */
  knows(url: string): boolean
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const JOIN_MS = 90_000
const SOCKET_PATH =
  /^\/cdp\/devtools\/(?:browser|page\/(?<target>[\w-]{1,64}))\/(?<session>[\w-]{1,64})\?ticket=(?<ticket>[\w-]{1,64})$/

export function createCdp(deps: CdpDeps): Cdp {
  const { storage, tickets, agents } = deps
  const open = createOpenSockets(deps.log)
  const sessions = createCdpSessions<CdpUser>(deps.clock)
  const answers = createCdpAnswers({ ...deps, sessions })
  const forAgent = createForAgent(deps)
  const router = express.Router()
  router.use(createEdge(deps.metrics))

  const userOf = ({ agent: { id: agent } }: AgentCaller, request: Request): CdpUser => ({
    ...{ key: agent, agent, actor: agentActor(agent) },
    holder: { kind: 'agent', tenant: storage.tenant, agent, token: tokenOf(request) },
    assertStill(holder, peer) {
      if (holder.kind !== 'agent' || holder.agent !== agent) throw isOver()
      agents.assertStill(agent, holder.token, peer)
    },
  })
  const call = {
    surface: 'http',
    limit: 'read',
    action: 'browser.use',
    before: ({ url }: Request) => assertNoneInAddress(url),
  } as const
  for (const { methods, paths, answer } of CDP_PATHS)
    for (const method of methods)
      router[method](
        [...paths],
        forAgent(call, async (caller, request, response) => {
          await answers[answer](userOf(caller, request), request, response)
        }),
      )
  router.use(({ url }: Request) => {
    assertNoneInAddress(url)
    throw new AppError('not_found', NO_SUCH_PATH)
  })
  router.use(createErrorAnswer(deps.log))

  async function join(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { url = '' } = request
    const { target = null, session = '', ticket = '' } = SOCKET_PATH.exec(url)?.groups ?? {}
    assertNoneInAddress(url)
    const holder = tickets.take(ticket, { machine: placeOf(session, target), purpose: 'cdp' })
    const user = sessions.ownerOf(session)
    if (holder === undefined || user === undefined || holder.tenant !== storage.tenant) throw isOver()
    const assertStill = (): void => user.assertStill(holder, peerOf(request))
    assertStill()
    const use = sessions.use(session)
    if (use === undefined) throw new AppError('rate_limited', 'There are too many connections to browsers.')
    socket.once('close', () => use[Symbol.dispose]())
    await open.add({
      ...{ of: deps, actor: user.actor, purpose: 'cdp', to: { target: target ?? 'browser' } },
      ...{ by: 'ticket', connection: socket, ended: closeOf(socket) },
      still: () => passes(assertStill),
      cut: () => socket.destroy(),
    })
    const path = `/sessions/${session}/${target === null ? 'browser' : `page/${target}`}`
    const until = AbortSignal.timeout(JOIN_MS)
    const connection = await deps.openBrowser(user.agent, until)
    await joinBrowser({ request, socket, head, path, connection })
  }

  return {
    router,
    answers,
    knows: (url) => sessions.ownerOf(SOCKET_PATH.exec(url)?.groups?.session ?? '') !== undefined,
    upgrade(request, socket, head) {
      socket.on('error', () => {})
      join(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, deps.log))
    },
    [Symbol.dispose]: () => open[Symbol.dispose](),
  }
}

const isOver = (): AppError =>
  new AppError('unauthenticated', 'This address was good once; ask for another one.')

const tokenOf = ({ headers }: Request): string => sha256Hex(bearerToken(headers.authorization) ?? '')
const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress)

const closeOf = (socket: Duplex): Promise<object> =>
  new Promise((resolve) => {
    if (socket.closed) resolve({})
    else socket.once('close', () => resolve({}))
  })
