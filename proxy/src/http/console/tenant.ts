import type { Approvals } from '../../approvals/index.ts'
import type { Memberships } from '../../identity/index.ts'
import type { Passkeys } from '../../identity/passkeys/index.ts'
import type { Sessions } from '../../identity/sessions/index.ts'
import type { Storage, TenantId } from '../../kernel/index.ts'
import type { EventFeed } from '../../notify/event-feed/index.ts'
import type { AdminApi } from '../admin-api/index.ts'
import type { AgentGate } from '../agent-api/index.ts'

/** What the console needs of a tenant. */
export interface ConsoleTenant {
  readonly tenant: TenantId
  readonly name: string
  readonly storage: Storage
  readonly sessions: Sessions
  readonly passkeys: Passkeys
  readonly approvals: Pick<Approvals, 'find'>
  readonly memberships: Memberships
  readonly feed: EventFeed
  readonly gate: Pick<AgentGate, 'failedLogin' | 'refused' | 'take'>
  readonly api: AdminApi
}
