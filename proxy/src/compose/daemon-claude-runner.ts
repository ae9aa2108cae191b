import type { Logger } from 'pino'
import type { RunRunner } from '../claude-runs/index.ts'
import { type ClaudeRunPlaces, createClaudeRunPlaces, type ModelAccess } from '../claude-runs/runs/index.ts'
import type { SchemaChecker } from '../claude-runs/schema/index.ts'
import type { ClaudeRunsConfig, Config } from '../config/index.ts'
import type { EgressEndpoints } from '../egress/index.ts'
import { createSecretStreams, type SecretStreams } from '../vault/crypto/index.ts'

/** What a test puts in the place of the usual; each left out is the real one. */
export interface ClaudeRunsOverrides {
  readonly runner?: RunRunner
  readonly models?: ModelAccess
  /** How long a run whose stream broke waits for its client. */
  readonly reconnectMs?: number
}

/** What runs of apps have once, however many tenants there are. */
export interface ClaudeRunsBase extends AsyncDisposable {
  readonly settings: ClaudeRunsConfig
  readonly runner: RunRunner
  readonly schemas: SchemaChecker
  readonly places: ClaudeRunPlaces
  readonly streams: SecretStreams
  readonly endpoints: EgressEndpoints
}

interface BaseDeps {
  readonly config: Pick<Config, 'claudeRuns' | 'claudeContainers' | 'sandbox'>
  readonly instanceId: string
  readonly endpoints: EgressEndpoints
  readonly log: Logger
}

/** Null where runs are off; what they need is loaded only where they are on. */
export async function openClaudeRunsBase(
  deps: BaseDeps,
  overrides: ClaudeRunsOverrides = {},
): Promise<ClaudeRunsBase | null> {
  const { claudeRuns: settings } = deps.config
  if (settings === null) return null
  const { createSchemaChecker } = await import('../claude-runs/schema/index.ts')
  await using stack = new AsyncDisposableStack()
  const schemas = stack.use(createSchemaChecker())
  const runner = stack.use(overrides.runner ?? (await openRunner(deps, schemas)))
  const streams = await createSecretStreams()
  const owned = stack.move()
  return {
    ...{ settings, runner, schemas, streams, places: createClaudeRunPlaces(settings) },
    endpoints: deps.endpoints,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function openRunner(
  { config, instanceId, endpoints, log }: BaseDeps,
  schemas: SchemaChecker,
): Promise<RunRunner> {
  const { createClaudeRunner } = await import('../claude-runs/container/index.ts')
  const { poolSize, ...resources } = config.claudeContainers
  return createClaudeRunner({
    ...{ instanceId, endpoints, schemas, poolSize, resources },
    ociRuntime: config.sandbox.ociRuntime ?? undefined,
    seccomp: config.sandbox.seccomp,
    log: (message, error) => log.warn({ err: error }, message),
  })
}
