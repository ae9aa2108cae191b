import { join } from 'node:path'
import { createBlobs } from '../claude-runs/blobs/index.ts'
import { createAppFiles } from '../claude-runs/files/index.ts'
import { createClaudeRuns, type ModelAccess } from '../claude-runs/runs/index.ts'
import { createRunSessions } from '../claude-runs/sessions/index.ts'
import { createRequestSender, createToolCalls } from '../claude-runs/tool-calls/index.ts'
import type { Config } from '../config/index.ts'
import { createEgressSessions } from '../egress/index.ts'
import type { TenantId } from '../kernel/index.ts'
import type { Installation } from './compose-installation.ts'
import type { ClaudeRunsOverrides } from './daemon-claude-runner.ts'
import type { TenantCore } from './daemon-core.ts'
import { runBodiesFolder } from './state-files.ts'

/** Sealed bodies of one tenant, and below it those of no other. */
export const bodiesFolderOf = (config: Pick<Config, 'dbPath'>, tenant: TenantId): string =>
  join(runBodiesFolder(config), tenant)

/** Runs of one tenant's apps, joined and at rest; null where they are off. */
export function composeClaudeRuns(
  installation: Pick<Installation, 'claudeRuns' | 'config' | 'clock' | 'metrics' | 'onDefect'>,
  core: TenantCore,
  models: ModelAccess,
  overrides: ClaudeRunsOverrides = {},
) {
  const { claudeRuns: base, config, clock, metrics, onDefect } = installation
  if (base === null) return null
  const { settings, runner, schemas, places, streams } = base
  const { vault, storage } = core
  const blobs = createBlobs({ directory: bodiesFolderOf(config, storage.tenant), streams, vault })
  const shared = { ...core, ...settings, blobs, clock, onDefect }
  const files = createAppFiles(shared)
  const sessions = createRunSessions({ ...shared, keepMs: settings.retainSessionsMs })
  const egress = createEgressSessions({ ...core, onDefect })
  const sender = createRequestSender({ ...core, endpoints: base.endpoints, egress })
  const toolCalls = createToolCalls({ ...core, clock, sender })
  const runs = createClaudeRuns({
    ...shared,
    ...{ files, sessions, places, runner },
    models: overrides.models ?? models,
    toolCalls,
    egress,
    checkSchema: (owner, schema) => schemas.check(owner, schema),
    retainMs: settings.retainResultsMs,
    keepRowsMs: config.storage.retainExecutionsMs,
    onEnded: ({ code }) => metrics.claudeRan(code ?? 'internal'),
  })
  return { files, sessions, runs, toolCalls, reconnectMs: overrides.reconnectMs }
}
