import { dirname, join } from 'node:path'
import { createBlobs } from '../claude-runs/blobs/index.ts'
import { createAppFiles } from '../claude-runs/files/index.ts'
import { RunnerUnavailable, type RunRunner } from '../claude-runs/index.ts'
import {
  type ClaudeRunPlaces,
  type ClaudeRunsDeps,
  createClaudeRunPlaces,
  createClaudeRuns,
  type ModelAccess,
} from '../claude-runs/runs/index.ts'
import { createRunSessions } from '../claude-runs/sessions/index.ts'
import type { ClaudeRunsConfig, Config } from '../config/index.ts'
import { AppError, type TenantId } from '../kernel/index.ts'
import { createSecretStreams, type SecretStreams } from '../vault/crypto/index.ts'
import type { Installation } from './compose-installation.ts'
import type { TenantCore } from './daemon-core.ts'

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

export type ClaudeRunsParts = NonNullable<ReturnType<typeof composeClaudeRuns>>

/** Sealed bodies of one tenant, and below it those of no other. */
export const bodiesFolderOf = ({ dbPath }: Pick<Config, 'dbPath'>, tenant: TenantId): string =>
  join(dirname(dbPath), 'claude-runs', tenant)

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

/** Runs of one tenant's apps, joined and at rest; null where they are off. */
export function composeClaudeRuns(
  installation: Pick<Installation, 'claudeRuns' | 'config' | 'clock' | 'metrics' | 'onDefect'>,
  core: TenantCore,
  overrides: ClaudeRunsOverrides = {},
) {
  const { claudeRuns: base, config, clock, metrics, onDefect } = installation
  if (base === null) return null
  const { settings, runner, places, streams } = base
  const { vault, storage } = core
  const blobs = createBlobs({ directory: bodiesFolderOf(config, storage.tenant), streams, vault })
  const shared = { ...core, ...settings, blobs, clock, onDefect }
  const files = createAppFiles(shared)
  const sessions = createRunSessions({ ...shared, keepMs: settings.retainSessionsMs })
  const runs = createClaudeRuns({
    ...shared,
    ...{ files, sessions, places, runner },
    models: overrides.models ?? NO_MODELS,
    // Which tools an app's runs have the owner has said; they reach nothing outside of their container.
    toolGate: overrides.toolGate ?? (async () => ({ behavior: 'allow' })),
    assertSchema: overrides.assertSchema ?? (() => {}),
    retainMs: settings.retainResultsMs,
    keepRowsMs: config.storage.retainExecutionsMs,
    onEnded: ({ code }) => metrics.claudeRan(code ?? 'internal'),
  })
  return { files, sessions, runs, reconnectMs: overrides.reconnectMs }
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

const NO_MODELS: ModelAccess = {
  bind() {
    throw new AppError('sandbox_unavailable', 'This build has no way to a model for runs.')
  },
}
