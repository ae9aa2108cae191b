import { BASELINE } from './01-baseline.ts'
import { TENANT_REMOVAL } from './02-tenant-removal.ts'
import { CONSENTS } from './03-consents.ts'
import { MEMBERSHIPS } from './04-memberships.ts'
import { SESSIONS } from './05-sessions.ts'
import { PASSKEYS } from './06-passkeys.ts'
import { QUORUM } from './07-quorum.ts'
import { GRANT_LIMITS } from './08-grant-limits.ts'
import { REGISTRIES } from './10-registries.ts'
import { AUDIT_INDEX } from './12-audit-index.ts'
import { CLAUDE_RUNS } from './13-claude-runs.ts'
import { TOOL_CALLS } from './14-tool-calls.ts'
import { MACHINES } from './15-machines.ts'
import { GRANT_REQUESTS } from './16-grant-requests.ts'
import { ACCOUNTS } from './17-accounts.ts'
import { MACHINE_FILES } from './18-machine-files.ts'
import { SEATS } from './19-seats.ts'
import { MACHINE_CHATS } from './20-machine-chats.ts'
import { MACHINE_DAYS } from './21-machine-days.ts'
import { MACHINE_IDENTITIES } from './22-machine-identities.ts'
import { APP_REACH } from './23-app-reach.ts'
import { AGENT_BOTS } from './24-agent-bots.ts'
import { TURN_RUNS } from './25-turn-runs.ts'
import { AGENT_PAGES } from './26-agent-pages.ts'

/**
 * Numbered, forward only, each in one transaction. A migration that has landed is never edited: a database of any landed
 * version opens in every later one. New ones go into a file of their own, at the end of the list.
 */
export const POSTGRES_MIGRATIONS: readonly string[] = [
  ...BASELINE,
  ...TENANT_REMOVAL,
  ...CONSENTS,
  ...MEMBERSHIPS,
  ...SESSIONS,
  ...PASSKEYS,
  ...QUORUM,
  ...GRANT_LIMITS,
  ...AUDIT_INDEX,
  ...REGISTRIES,
  ...CLAUDE_RUNS,
  ...TOOL_CALLS,
  ...MACHINES,
  ...GRANT_REQUESTS,
  ...ACCOUNTS,
  ...MACHINE_FILES,
  ...SEATS,
  ...MACHINE_CHATS,
  ...MACHINE_DAYS,
  ...MACHINE_IDENTITIES,
  ...APP_REACH,
  ...AGENT_BOTS,
  ...TURN_RUNS,
  ...AGENT_PAGES,
]
