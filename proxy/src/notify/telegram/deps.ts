import type { Logger } from 'pino'
import type { Approvals, Cards } from '../../approvals/index.ts'
import type { Trust } from '../../approvals/trust/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Executions } from '../../executions/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import type { Memberships } from '../../identity/index.ts'
import type { Clock, HealthReport, SecretValue, Storage } from '../../kernel/index.ts'
import type { LlmModules } from '../../llm/provider-access/index.ts'
import type { Lockdown, Vault } from '../../vault/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Chat } from './chat.ts'

export interface TelegramDeps {
  readonly config: {
    readonly token: SecretValue
    readonly apiRoot: string
    /** Null: long polling. */
    readonly webhook: { readonly url: string; readonly secret: SecretValue } | null
  }
  readonly memberships: Memberships
  /** The one chat that is served. */
  readonly chat: Chat
  readonly executions: Executions
  readonly approvals: Approvals
  readonly cards: Cards
  readonly trust: Trust
  readonly vault: Vault
  readonly lockdown: Lockdown
  readonly audit: AuditLog
  readonly agents: Agents
  /** What there is of providers of LLMs: their keys, who may use them, what was used. */
  readonly llm: LlmModules
  readonly outbox: Outbox
  readonly storage: Storage
  readonly clock: Clock
  readonly health: () => Promise<HealthReport>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** How long one long poll waits on Telegram's side, in seconds. */
  readonly pollSeconds?: number
  /** How fast the chat may be written to; Telegram's own limits when left out. */
  readonly pace?: { readonly burst: number; readonly perSecond: number }
}
