import type { z } from 'zod'
import type { AgentView, addAgentBody } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { type AgentId, AppError, SecretValue } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'
import type { Agent, Agents, WakeTarget } from './agents.ts'

export interface AgentRoutesDeps {
  readonly agents: Agents
  readonly vault: Pick<Vault, 'sealFor'>
  /** Where agents reach the daemon; known once it listens. */
  readonly url: () => string
  /** Whether agents without a wake target of their own are woken at all. */
  readonly hasDefaultWake: boolean
  readonly owner: Owner
}

/** Who may ask: agents, their tokens, their tags and how they are woken. */
export function agentRoutes({ agents, vault, url, hasDefaultWake, owner }: AgentRoutesDeps) {
  return {
    listAgents: () => ({ agents: agents.list().map(viewAgent), has_default_wake: hasDefaultWake }),
    async addAgent({ body: { name, cidrs, tags, wake } }) {
      if (wake) assertWake(wake)
      const wakeOf = (id: AgentId): WakeTarget | null =>
        wake
          ? {
              kind: wake.kind,
              target: wake.target,
              sessionKey: wake.session_key ?? null,
              sealedToken:
                wake.token === undefined
                  ? null
                  : vault.sealFor(`agent-wake:${id}`, new SecretValue(wake.token)),
            }
          : null
      const added = await agents.add({ name, cidrs, tags, wake: wakeOf }, owner.actor)
      return { agent: viewAgent(added.agent), token: added.token, url: url() }
    },
    async setAgentTags({ params: { name }, body }) {
      assertNotRevoked(agents, name)
      return viewAgent(await agents.setTags(name, body.tags, owner.actor))
    },
    async rotateAgentToken({ params: { name }, body }) {
      assertNotRevoked(agents, name)
      const rotated = await agents.rotate(name, body.overlap_ms, owner.actor)
      return { agent: viewAgent(rotated.agent), token: rotated.token, url: url() }
    },
    async revokeAgent({ params: { name } }) {
      assertNotRevoked(agents, name)
      await agents.revoke(name, owner.actor)
      return { ok: true }
    },
  } satisfies Partial<AdminHandlers>
}

/** A clearer refusal than that nobody has the name. */
function assertNotRevoked(agents: Agents, name: string): void {
  const named = agents.list().filter((agent) => agent.name === name)
  if (named.length > 0 && named.every((agent) => agent.revokedAt !== null)) {
    throw new AppError('not_found', `${name} was already revoked.`)
  }
}

function assertWake(wake: z.output<typeof addAgentBody>['wake'] & object): void {
  if (wake.kind === 'openclaw-cli') {
    if (wake.token !== undefined) throw new AppError('invalid_request', 'openclaw-cli takes no wake token.')
    return
  }
  const url = URL.canParse(wake.target) ? new URL(wake.target) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new AppError('invalid_request', `The wake target of ${wake.kind} is an http(s) address.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError('invalid_request', 'The wake target holds credentials; give them as the wake token.')
  }
  if (wake.token === undefined) throw new AppError('invalid_request', `${wake.kind} needs a wake token.`)
}

/** No token hash. */
const viewAgent = (agent: Agent): AgentView => ({
  id: agent.id,
  name: agent.name,
  cidrs: [...agent.cidrs],
  tags: [...agent.tags],
  wake: agent.wake && {
    kind: agent.wake.kind,
    target: agent.wake.target,
    session_key: agent.wake.sessionKey,
  },
  created_at: agent.createdAt,
  revoked_at: agent.revokedAt,
  old_token_until: agent.previous?.until ?? null,
})
