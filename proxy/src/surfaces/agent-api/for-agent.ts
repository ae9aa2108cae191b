import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import type { Agent } from '../../domain/agents/index.ts'
import { AppError } from '../../kernel/index.ts'
import { knownError } from '../http/index.ts'
import { sendError } from './edge.ts'
import type { AgentGate } from './gate.ts'

interface AgentCalls {
  readonly surface: 'http' | 'mcp'
  /** Which limit a call counts under; `execute` is refused once the daemon drains. */
  readonly limit: 'execute' | 'read'
  /** Before the token is looked at. */
  readonly before?: (request: Request) => void
}

/**
 * The one way to a handler that needs an agent: who asks is settled before anything that was sent is read, refusals are counted and
 * told to the audit, and nobody is answered who left.
 */
export const createForAgent =
  ({ gate, log }: { readonly gate: AgentGate; readonly log: Logger }) =>
  (
    { surface, limit, before }: AgentCalls,
    handle: (agent: Agent, request: Request, response: Response) => Promise<void>,
  ): RequestHandler =>
  async (request, response) => {
    let who: Agent | Request = request
    try {
      before?.(request)
      if (limit === 'execute') gate.assertAccepting()
      const agent = await gate.admit(request)
      who = agent
      await gate.take(limit, agent.id)
      await handle(agent, request, response)
    } catch (caught) {
      if (callerLeft(caught, response)) return
      const error = knownError(caught, log)
      gate.refused(who, error, { surface, toRun: limit === 'execute' })
      if (response.headersSent) response.destroy()
      else sendError(response, error)
    }
  }

/** An abort that the caller's own leaving caused is nobody's error. */
const callerLeft = (error: unknown, response: Response): boolean =>
  response.destroyed && !(error instanceof AppError)
