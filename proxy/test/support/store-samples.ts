import type { Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import {
  type CodeHash,
  type ConsentHash,
  newAgentId,
  newRequestId,
  randomToken,
  sha256Hex,
} from '../../src/kernel/index.ts'

export const sampleAgent = (change: Partial<Agent> = {}): Agent => {
  const id = newAgentId()
  return {
    id,
    name: `agent-${id.slice(4)}`,
    tokenSha256: sha256Hex(randomToken(128)),
    previous: null,
    cidrs: [],
    tags: [],
    wake: null,
    createdAt: 1_000,
    revokedAt: null,
    ...change,
  }
}

/** What waits for a person; each of another consent. */
export const sampleExecution = (agentId: Agent['id'], change: Partial<Execution> = {}): Execution => {
  const requestId = newRequestId()
  return {
    requestId,
    agentId,
    skillId: 'demo-skill',
    codeHash: 'c'.repeat(64) as CodeHash,
    status: 'pending',
    consentJson: '{"v":3}',
    consentHash: sha256Hex(requestId) as ConsentHash,
    changes: [],
    createdAt: 1_000,
    expiresAt: 10_000,
    trusted: false,
    decision: null,
    decidedBy: null,
    decidedByName: null,
    decidedAt: null,
    denyReason: null,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    failure: null,
    result: null,
    seenAt: null,
    ackedAt: null,
    ...{ remindedAt: null, againOf: null, supersededBy: null },
    ...change,
  }
}
