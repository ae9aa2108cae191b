import { createPolicy, type EgressSession, type EgressSessions } from '../../egress/index.ts'
import type { AppId, RunId } from '../../kernel/index.ts'
import { createScrubber } from '../../scrub/index.ts'

/** Whether a person can be asked to open the wall of a run with these tools. */
export const mayOpenWall = (tools: readonly string[]): boolean => tools.includes('WebFetch')

/** A run's way out that leads nowhere: what a person approves is admitted to it. No secret goes by it. */
export const beginWalled = (
  sessions: Pick<EgressSessions, 'begin'>,
  runId: RunId,
  appId: AppId,
): EgressSession =>
  sessions.begin(
    runId,
    createPolicy({ owner: appId, network: [], secrets: [] }, () => createScrubber(new Map())),
  )
