import { RunnerUnavailable, type RunRunner } from '../claude-runs/index.ts'
import {
  type ClaudeRunPlaces,
  type ClaudeRunsDeps,
  createClaudeRunPlaces,
  type ModelAccess,
} from '../claude-runs/runs/index.ts'
import type { ClaudeRunsConfig, Config } from '../config/index.ts'
import { createSecretStreams, type SecretStreams } from '../vault/crypto/index.ts'

/** What a test puts in the place of the usual; each left out is the real one. */
export interface ClaudeRunsOverrides {
  readonly runner?: RunRunner
  readonly models?: ModelAccess
  readonly toolGate?: ClaudeRunsDeps['toolGate']
  readonly assertSchema?: ClaudeRunsDeps['assertSchema']
  /** How long a run whose stream broke waits for its client. */
  readonly reconnectMs?: number
}

/** What runs of apps have once, however many tenants there are; null where they are off. */
export interface ClaudeRunsBase extends AsyncDisposable {
  readonly settings: ClaudeRunsConfig
  readonly runner: RunRunner
  readonly places: ClaudeRunPlaces
  readonly streams: SecretStreams
}

export async function openClaudeRunsBase(
  { claudeRuns: settings }: Pick<Config, 'claudeRuns'>,
  overrides: ClaudeRunsOverrides = {},
): Promise<ClaudeRunsBase | null> {
  if (settings === null) return null
  const runner = overrides.runner ?? NO_RUNNER
  return {
    settings,
    runner,
    places: createClaudeRunPlaces(settings),
    streams: await createSecretStreams(),
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  }
}

const UNAVAILABLE = 'This build has no runner of Claude Code.'

const NO_RUNNER: RunRunner = {
  sweep: async () => 0,
  start() {},
  status: async () => ({ version: null, available: false, notes: [UNAVAILABLE], warm: 0, running: 0 }),
  run: async () => {
    throw new RunnerUnavailable(UNAVAILABLE)
  },
  async [Symbol.asyncDispose]() {},
}
