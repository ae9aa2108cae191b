import type { Agent, Agents } from '../../identity/agents/index.ts'
import { agentOfToken } from '../../identity/authentication.ts'
import { assertAuthorized, resourceOf, variableInToken } from '../../identity/index.ts'
import { AppError, plainAddress, type TenantId } from '../../kernel/index.ts'
import type { Caller } from './caller.ts'
import type { LlmRequest } from './client.ts'
import { sentAsCredential } from './credentials.ts'
import { type LlmRefusal, refused } from './refusal.ts'

/** What the proxy needs of the endpoint that all agents' surfaces share. */
export interface SharedGate {
  failedLogin(request: LlmRequest, error: AppError): Promise<AppError>
  refused(who: Agent | LlmRequest, error: AppError, of: { surface: 'http' | 'mcp'; toRun: boolean }): void
}

export interface Identity {
  /**
   * Whose token it is; null where the connection tells that. A failure counts against the address, and is told to the
   * audit.
   */
  of(token: string | null, request: LlmRequest): Caller | Promise<LlmRefusal>
  /** The same for what was good a moment ago: null when it is no longer. */
  revalidateToken(token: string | null, request: LlmRequest): Caller | null
  /** Of a request whose head was refused. */
  missing(request: LlmRequest, refusal: LlmRefusal): Promise<LlmRefusal>
}

const MAX_KEPT = 4_096

const addressOf = (request: LlmRequest): string => request.socket.remoteAddress ?? 'unknown'

/** Looks an agent up, and whether it may use providers at all, once; the answer is good until any agent changes. */
export function createIdentity(deps: {
  readonly agents: Pick<Agents, 'authenticate' | 'revision'>
  readonly gate: SharedGate
  readonly tenant: TenantId
}): Identity {
  /** By token, then by address. */
  const kept = new Map<string, Map<string, Agent>>()
  let count = 0
  let keptAt = -1

  const lookUp = (token: string | null, address: string): Agent => {
    if (token === null) throw new AppError('unauthenticated', 'No token came.')
    if (keptAt !== deps.agents.revision || count >= MAX_KEPT) {
      kept.clear()
      count = 0
      keptAt = deps.agents.revision
    }
    const known = kept.get(token)?.get(address)
    if (known !== undefined) return known
    const agent = deps.agents.authenticate(`Bearer ${token}`, plainAddress(address))
    // What it may use of them its grants say, request by request.
    assertAuthorized(
      agentOfToken(deps.tenant, agent.id),
      'provider.use',
      resourceOf(deps.tenant, 'provider.use', agent.id),
    )
    const ofToken = kept.get(token) ?? new Map<string, Agent>()
    kept.set(token, ofToken.set(address, agent))
    count += 1
    return agent
  }

  const failed = async (request: LlmRequest, error: AppError): Promise<LlmRefusal> => {
    deps.gate.refused(request, error, { surface: 'http', toRun: false })
    const told = await deps.gate.failedLogin(request, error)
    if (told.code === 'rate_limited') {
      return refused('rate_limited', 'Too many failed logins from this address.', told.retryAfterSeconds)
    }
    if (error.code === 'address_not_allowed') return refused('address_not_allowed', error.message)
    const message = 'Send a valid agent token (oa3_…) where the provider wants its key.'
    return refused('unauthenticated', `${message}${variableInToken(sentAsCredential(request.rawHeaders))}`)
  }

  return {
    of(token, request) {
      try {
        return lookUp(token, addressOf(request))
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        return failed(request, error)
      }
    },
    revalidateToken(token, request) {
      try {
        return lookUp(token, addressOf(request))
      } catch (error) {
        if (error instanceof AppError) return null
        throw error
      }
    },
    missing: (request, refusal) =>
      refusal.code === 'unauthenticated'
        ? failed(request, new AppError('unauthenticated', refusal.message))
        : Promise.resolve(refusal),
  }
}
