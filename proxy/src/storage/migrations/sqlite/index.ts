import { REQUESTS } from './01-requests.ts'
import { PROVIDERS } from './02-providers.ts'
import { RETENTION } from './03-retention.ts'
import { ENDPOINT_GROUPS } from './04-endpoint-groups.ts'
import { DENIALS } from './05-denials.ts'
import { RETENTION_ORDER } from './06-retention-order.ts'
import { AGENT_TOKENS } from './07-agent-tokens.ts'
import { PRICE_PARTS } from './08-price-parts.ts'
import { TENANTS } from './09-tenants.ts'
import { TENANT_REMOVAL } from './10-tenant-removal.ts'
import { CONSENTS } from './11-consents.ts'
import { MEMBERSHIPS } from './12-memberships.ts'
import { SESSIONS } from './13-sessions.ts'
import { PASSKEYS } from './14-passkeys.ts'
import { QUORUM } from './15-quorum.ts'
import { GRANT_LIMITS } from './16-grant-limits.ts'
import { REGISTRIES } from './18-registries.ts'
import { AUDIT_INDEX } from './20-audit-index.ts'
import { CLAUDE_RUNS } from './21-claude-runs.ts'
import { TOOL_CALLS } from './22-tool-calls.ts'
import { MACHINES } from './23-machines.ts'
import { GRANT_REQUESTS } from './24-grant-requests.ts'
import { ACCOUNTS } from './25-accounts.ts'
import { MACHINE_FILES } from './26-machine-files.ts'
import { SEATS } from './27-seats.ts'
import { MACHINE_CHATS } from './28-machine-chats.ts'
import { MACHINE_DAYS } from './29-machine-days.ts'
import { MACHINE_IDENTITIES } from './30-machine-identities.ts'
import { APP_REACH } from './31-app-reach.ts'
import { AGENT_BOTS } from './32-agent-bots.ts'
import { TURN_RUNS } from './33-turn-runs.ts'
import { AGENT_PAGES } from './34-agent-pages.ts'

/**
 * Numbered, forward only, each in one transaction; the schema's version is the number of the newest one applied. A migration
 * that has landed is never edited: a database of any landed version opens in every later one. New ones go into a file of their
 * own, at the end of the list, together with their counterpart for PostgreSQL.
 */
export const SQLITE_MIGRATIONS: readonly string[] = [
  ...REQUESTS,
  ...PROVIDERS,
  ...RETENTION,
  ...ENDPOINT_GROUPS,
  ...DENIALS,
  ...RETENTION_ORDER,
  ...AGENT_TOKENS,
  ...PRICE_PARTS,
  ...TENANTS,
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
