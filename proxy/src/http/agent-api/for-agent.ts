import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import type { Agent } from '../../identity/agents/index.ts'
import { agentOfToken } from '../../identity/authentication.ts'
import { type Action, type AgentPrincipal, assertAuthorized, resourceOf } from '../../identity/index.ts'
import { AppError, type Storage } from '../../kernel/index.ts'
import { knownError } from '../index.ts'
import { sendError } from './edge.ts'
import type { AgentGate } from './gate.ts'

interface AgentCalls {
  readonly surface: 'http' | 'mcp'
  /** Which limit a call counts under; `execute` is refused once the daemon drains. */
  readonly limit: 'execute' | 'read'
  /** What the caller must be allowed to do, of its own; left out where the handler asks for each message. */
  readonly action?: Action
  /** Before the token is looked at. */
  readonly before?: (request: Request) => void
}

interface ForAgentDeps {
  readonly gate: AgentGate
  readonly storage: Pick<Storage, 'tenant'>
  readonly log: Logger
}

/** The holder of a token: what is known of the agent, and who it is to `authorize`. */
export interface AgentCaller {
  readonly agent: Agent
  readonly by: AgentPrincipal
}

/**
 * The one way to a handler that needs an agent: who asks is settled before anything that was sent is read, refusals are counted and
 * told to the audit, and nobody is answered who left.
 */
export const createForAgent =
  ({ gate, storage, log }: ForAgentDeps) =>
  (
    { surface, limit, action, before }: AgentCalls,
    handle: (caller: AgentCaller, request: Request, response: Response) => Promise<void>,
  ): RequestHandler =>
  async (request, response) => {
    let who: Agent | Request = request
    try {
      before?.(request)
      if (limit === 'execute') gate.assertAccepting()
      const agent = await gate.authenticate(request)
      who = agent
      await gate.take(limit, agent.id)
      const by = agentOfToken(storage.tenant, agent.id)
      if (action) assertAuthorized(by, action, resourceOf(storage.tenant, action, agent.id))
      await handle({ agent, by }, request, response)
    } catch (caught) {
      if (callerLeft(caught, response)) return
      const error = knownError(caught, log)
      await gate.refused(who, error, { surface, toRun: limit === 'execute' })
      if (response.headersSent) response.destroy()
      else sendError(response, error)
    }
  }

/** An abort that the caller's own leaving caused is nobody's error. */
const callerLeft = (error: unknown, response: Response): boolean =>
  response.destroyed && !(error instanceof AppError)
