import type { Logger } from 'pino'
import type { Agents } from '../../domain/agents/index.ts'
import type { Approvals, Cards } from '../../domain/approvals/index.ts'
import type { AuditLog, Transactor } from '../../domain/audit/index.ts'
import type { Executions } from '../../domain/executions/index.ts'
import type { HealthReport } from '../../domain/health/index.ts'
import type { Outbox } from '../../domain/outbox/index.ts'
import type { LlmModules } from '../../domain/provider-access/index.ts'
import type { Trust } from '../../domain/trust/index.ts'
import type { Vault } from '../../domain/vault/index.ts'
import type { Clock, SecretValue } from '../../kernel/index.ts'
import type { Chat } from './chat.ts'

export interface TelegramDeps {
  readonly config: {
    readonly token: SecretValue
    readonly approverIds: ReadonlySet<string>
    readonly apiRoot: string
    /** Null: long polling. */
    readonly webhook: { readonly url: string; readonly secret: SecretValue } | null
  }
  /** The one chat that is served. */
  readonly chat: Chat
  readonly executions: Executions
  readonly approvals: Approvals
  readonly cards: Cards
  readonly trust: Trust
  readonly vault: Vault
  readonly audit: AuditLog
  readonly agents: Agents
  /** What there is of providers of LLMs: their keys, who may use them, what was used. */
  readonly llm: LlmModules
  readonly outbox: Outbox
  readonly transactor: Transactor
  readonly clock: Clock
  readonly health: () => Promise<HealthReport>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** How long one long poll waits on Telegram's side, in seconds. */
  readonly pollSeconds?: number
  /** How fast the chat may be written to; Telegram's own limits when left out. */
  readonly pace?: { readonly burst: number; readonly perSecond: number }
}
