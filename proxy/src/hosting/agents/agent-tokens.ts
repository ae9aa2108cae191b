import type { Agent, Agents } from '../../identity/agents/index.ts'
import type { AgentId } from '../../kernel/index.ts'

export interface AgentTokens {
  /** One that is good now. */
  of(agent: Agent): Promise<string>
  /** It has just been made. */
  keep(id: AgentId, token: string, sha256: string): void
}

/** The daemon alone has them, in its memory: each daemon makes its own, and another one where its owner rotated it. */
export function createAgentTokens(agents: Pick<Agents, 'rotate'>): AgentTokens {
  const tokens = new Map<AgentId, { readonly token: string; readonly sha256: string }>()
  const rotating = new Map<AgentId, Promise<string>>()
  const keep: AgentTokens['keep'] = (id, token, sha256) => void tokens.set(id, { token, sha256 })
  return {
    keep,
    of({ id, name, tokenSha256 }) {
      const known = tokens.get(id)
      if (known !== undefined && known.sha256 === tokenSha256) return Promise.resolve(known.token)
      const making = rotating.get(id)
      if (making !== undefined) return making
      const made = agents
        .rotate(name, 0, 'daemon')
        .then(({ token, agent }) => {
          keep(id, token, agent.tokenSha256)
          return token
        })
        .finally(() => rotating.delete(id))
      rotating.set(id, made)
      return made
    },
  }
}
