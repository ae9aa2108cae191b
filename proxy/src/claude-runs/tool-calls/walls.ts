import { anyCapability } from '../../egress/capabilities/index.ts'
import { createPolicy, type EgressSession, type EgressSessions } from '../../egress/index.ts'
import type { AppId, RunId } from '../../kernel/index.ts'
import { createScrubber } from '../../scrub/index.ts'
import type { App } from '../apps/index.ts'
import { runsCommands } from '../index.ts'

/** What a run's way out is by its app's terms and its tools; null: it has none. */
export interface Wall {
  /** Hosts that are open from the beginning. */
  readonly hosts: readonly string[]
  /** A person is asked about any other. */
  readonly asks: boolean
}

/** Hosts are for commands: what else reads there asks by itself, for each call. */
export function wallOf(app: Pick<App, 'network' | 'hosts'>, tools: readonly string[]): Wall | null {
  const asks = app.network === 'ask' && runsCommands(tools)
  return asks || tools.includes('WebFetch') ? { hosts: asks ? app.hosts : [], asks } : null
}

/** Reaches those hosts, and what a person approves is admitted to it. No secret goes by it. */
export const beginWalled = (
  sessions: Pick<EgressSessions, 'begin'>,
  { hosts }: Wall,
  runId: RunId,
  appId: AppId,
): EgressSession =>
  sessions.begin(
    runId,
    createPolicy({ owner: appId, network: hosts.map(anyCapability), secrets: [] }, () =>
      createScrubber(new Map()),
    ),
  )
