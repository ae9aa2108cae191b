import type { ApprovalEvent } from '../approvals/index.ts'
import type { AuditEvent } from '../audit/index.ts'
import type { AppEvent } from '../claude-runs/apps/index.ts'
import type { ExecutionEvent } from '../executions/index.ts'
import type { MachineEvent } from '../hosting/machines/index.ts'
import type { AgentEvent } from '../identity/agents/index.ts'
import { createEvents, type Events } from '../kernel/index.ts'
import type { AccessEvent } from '../llm/provider-access/index.ts'
import type { ProviderEvent } from '../llm/providers/index.ts'
import type { ContentEvent, DiskEvent, RetentionEvent } from '../retention/index.ts'
import type { LockdownEvent, VaultEvent } from '../vault/index.ts'

/** Every event there is. Each is declared where it is published; who acts on it stands in the composition. */
type DomainEvent =
  | AccessEvent
  | AgentEvent
  | AppEvent
  | ApprovalEvent
  | AuditEvent
  | ContentEvent
  | DiskEvent
  | ExecutionEvent
  | LockdownEvent
  | MachineEvent
  | ProviderEvent
  | RetentionEvent
  | VaultEvent

export type DomainEvents = Events<DomainEvent>

export const createDomainEvents = (): DomainEvents => createEvents<DomainEvent>()
