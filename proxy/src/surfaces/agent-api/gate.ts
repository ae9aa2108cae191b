import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Agent, Agents } from '../../domain/agents/index.ts'
import type { AuditLog, Transactor } from '../../domain/audit/index.ts'
import { AppError, plainAddress } from '../../kernel/index.ts'
import { createLimits, type Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { createRefusals, DAMPED } from './refusals.ts'

/**
 * The one way in for agents: who asks (authentication), how often (rate limits), and the audit of who was turned away. HTTP and MCP share one gate, so an
 * agent's limits hold over both.
 */
export interface AgentGate extends Disposable, Limits {
  /** Throws unauthenticated, address_not_allowed or, after many failures from one address, rate_limited. */
  admit(request: IncomingMessage): Promise<Agent>
  /** Against brute force: counts a token that was refused against its address; what its caller is told: `error`, or after many of them rate_limited. */
  failedLogin(request: IncomingMessage, error: AppError): Promise<AppError>
  /** Counts the refusal; writes it to the audit when it refused to run something or to let somebody in. */
  refused(
    who: Agent | IncomingMessage,
    error: AppError,
    of: { surface: 'http' | 'mcp'; toRun: boolean },
  ): void
  /** Throws shutting_down once the daemon drains. */
  assertAccepting(): void
}

export interface GateDeps {
  readonly agents: Agents
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly metrics: Metrics
  readonly log: Logger
  readonly ratePerMinute: number
  readonly accepting: () => boolean
}

/** The peer of the connection. Forwarding headers are not believed: an agent could write them itself. */
const addressOf = (request: IncomingMessage): string => plainAddress(request.socket.remoteAddress)

export function createAgentGate(deps: GateDeps): AgentGate {
  const limits = createLimits(deps)
  const refusals = createRefusals(deps)
  const failedLogin = async (request: IncomingMessage, error: AppError): Promise<AppError> => {
    try {
      // Only failures count, so nobody can lock a good token out from its own address.
      await limits.take('authentication', addressOf(request))
      return error
    } catch (limited) {
      if (limited instanceof AppError) return limited
      throw limited
    }
  }
  return {
    ...limits,
    failedLogin,
    async admit(request) {
      try {
        return deps.agents.authenticate(request.headers.authorization, addressOf(request))
      } catch (error) {
        throw error instanceof AppError ? await failedLogin(request, error) : error
      }
    },
    refused(who, error, { surface, toRun }) {
      deps.metrics.refused(error.code)
      if (!toRun && !DAMPED.has(error.code)) return
      refusals.record('socket' in who ? `address:${addressOf(who)}` : `agent:${who.id}`, error, surface)
    },
    assertAccepting() {
      if (deps.accepting()) return
      throw new AppError('shutting_down', 'The daemon is stopping; ask again in a moment.', {
        retryAfterSeconds: 5,
      })
    },
    [Symbol.dispose]: () => refusals[Symbol.dispose](),
  }
}
