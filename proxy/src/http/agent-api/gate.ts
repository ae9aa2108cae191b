import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { AuditLog } from '../../audit/index.ts'
import type { Agent, Agents } from '../../identity/agents/index.ts'
import { type Actor, addressActor, agentActor } from '../../identity/index.ts'
import { AppError, networkOf, plainAddress, type Storage } from '../../kernel/index.ts'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { createRefusals, DAMPED, type RefusalSurface } from './refusals.ts'

/** A request, as far as its peer's address goes. */
interface Caller {
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/**
 * The one way in for agents: who asks (authentication), how often (rate limits), and the audit of who was turned away. HTTP and MCP share one gate, so an
 * agent's limits hold over both.
 */
export interface AgentGate extends AsyncDisposable, Limits {
  /** Throws unauthenticated, address_not_allowed or, after many failures from one address, rate_limited. */
  authenticate(request: IncomingMessage): Promise<Agent>
  /** Against brute force: counts a token that was refused against its address; what its caller is told: `error`, or after many of them rate_limited. */
  failedLogin(request: Caller, error: AppError): Promise<AppError>
  /** Counts the refusal; writes it to the audit when it refused to run something or to let somebody in. */
  refused(
    who: Agent | Caller | Actor,
    error: AppError,
    of: { surface: RefusalSurface; toRun: boolean },
  ): Promise<void>
  /** Throws shutting_down once the daemon drains, locked while the owner has stopped everything. */
  assertAccepting(): void
}

export interface GateDeps {
  readonly agents: Agents
  readonly audit: AuditLog
  readonly storage: Storage
  readonly metrics: Metrics
  readonly log: Logger
  /** Counted over all tenants. */
  readonly limits: Limits
  readonly accepting: () => boolean
  readonly lockdown: { assertOpen(): void }
}

/** The peer of the connection. Forwarding headers are not believed: an agent could write them itself. */
const addressOf = (request: Caller): string => plainAddress(request.socket.remoteAddress)

export function createAgentGate(deps: GateDeps): AgentGate {
  const { limits } = deps
  const refusals = createRefusals(deps)
  const failedLogin = async (request: Caller, error: AppError): Promise<AppError> => {
    try {
      // Only failures count, so nobody can lock a good token out from its own address.
      await limits.take('authentication', networkOf(addressOf(request)))
      return error
    } catch (limited) {
      if (limited instanceof AppError) return limited
      throw limited
    }
  }
  return {
    ...limits,
    failedLogin,
    async authenticate(request) {
      try {
        return deps.agents.authenticate(request.headers.authorization, addressOf(request))
      } catch (error) {
        throw error instanceof AppError ? await failedLogin(request, error) : error
      }
    },
    async refused(who, error, { surface, toRun }) {
      deps.metrics.refused(error.code)
      if (!toRun && !DAMPED.has(error.code)) return
      await refusals.record(
        typeof who === 'string' ? who : 'socket' in who ? addressActor(addressOf(who)) : agentActor(who.id),
        error,
        surface,
      )
    },
    assertAccepting() {
      deps.lockdown.assertOpen()
      if (deps.accepting()) return
      throw new AppError('shutting_down', 'The daemon is stopping; ask again in a moment.', {
        retryAfterSeconds: 5,
      })
    },
    [Symbol.asyncDispose]: () => refusals[Symbol.asyncDispose](),
  }
}
