import { type App, NO_APP_LIMITS } from '../../src/claude-runs/apps/index.ts'
import type { AppFile } from '../../src/claude-runs/files/index.ts'
import type { Run } from '../../src/claude-runs/runs/index.ts'
import type { RunSessionRow } from '../../src/claude-runs/sessions/index.ts'
import type { Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import {
  type AppId,
  type CodeHash,
  type ConsentHash,
  newAgentId,
  newAppId,
  newRequestId,
  newRunId,
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

export const sampleApp = (change: Partial<App> = {}): App => {
  const id = newAppId()
  return {
    ...{ id, name: `app-${id.slice(4)}`, tokenSha256: sha256Hex(randomToken(128)), cidrs: [] },
    ...{ scopes: ['run', 'files'], tools: [], models: null, provider: 'anthropic', limits: NO_APP_LIMITS },
    ...{ secrets: [], network: 'off' as const, hosts: [] },
    ...{ usesSeat: false, keepsPrompts: false, createdAt: 1_000, revokedAt: null },
    ...change,
  }
}

/** One that waits. */
export const sampleRun = (appId: AppId, change: Partial<Run> = {}): Run => ({
  ...{ id: newRunId(), appId, state: 'queued', code: null, message: null, model: 'sonnet' },
  ...{ promptSha256: 'a'.repeat(64), promptChars: 2, resultChars: null, isDetached: false, sessionId: null },
  ...{ stopReason: null, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  ...{ requests: 0, microUsd: null, createdAt: 1_000, startedAt: null, finishedAt: null, firstByteMs: null },
  ...{ idempotencyKey: null, bodySha256: 'b'.repeat(64), blob: null },
  ...change,
})

export const sampleFile = (appId: AppId, change: Partial<AppFile> = {}): AppFile => ({
  ...{ id: `ff_${randomToken(128)}`, appId, name: 'notes.txt', bytes: 10, blob: randomToken(128) },
  ...{ blobKey: 'sealed', createdAt: 1_000, expiresAt: 5_000 },
  ...change,
})

export const sampleRunSession = (appId: AppId, change: Partial<RunSessionRow> = {}): RunSessionRow => ({
  ...{ id: `ses_${randomToken(128)}`, appId, cliSession: 'cli-1', parent: null, runs: 1, bytes: 10 },
  ...{ blob: randomToken(128), blobKey: 'sealed', createdAt: 1_000, usedAt: 1_000, expiresAt: 5_000 },
  ...change,
})
