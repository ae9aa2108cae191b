import type { Approvals } from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { HostedAgents } from '../../hosting/agents/index.ts'
import type { AgentBots } from '../../hosting/bots/index.ts'
import type { AccountTenant } from '../../identity/accounts/index.ts'
import type { EventFeed } from '../../notify/event-feed/index.ts'
import type { AdminApi } from '../admin-api/index.ts'
import type { AgentGate } from '../agent-api/index.ts'
import type { CdpAnswers } from '../cdp/index.ts'

/** What the console needs of a tenant. */
export interface ConsoleTenant extends AccountTenant {
  readonly audit: Pick<AuditLog, 'append'>
  readonly approvals: Pick<Approvals, 'find'>
  readonly feed: EventFeed
  /** Null: where code does not run in Docker. */
  readonly hosting: (HostedAgents & { readonly bots: AgentBots }) | null
  /** Browsers of its agents, for whoever may use them. */
  readonly cdp: CdpAnswers
  readonly gate: Pick<AgentGate, 'failedLogin' | 'refused' | 'take'>
  readonly api: AdminApi
}
