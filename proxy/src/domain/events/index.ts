import { createEvents, type Events } from '../../kernel/index.ts'
import type { AgentEvent } from '../agents/index.ts'
import type { Transactor } from '../audit/index.ts'
import type { ExecutionEvent } from '../executions/index.ts'
import type { AccessEvent } from '../provider-access/index.ts'
import type { ProviderEvent } from '../providers/index.ts'
import type { ContentEvent, DiskEvent, RetentionEvent } from '../retention/index.ts'
import type { VaultEvent } from '../vault/index.ts'

/** Every event there is. Each is declared where it is published; who acts on it stands in the composition. */
type DomainEvent =
  | AccessEvent
  | AgentEvent
  | ContentEvent
  | DiskEvent
  | ExecutionEvent
  | ProviderEvent
  | RetentionEvent
  | VaultEvent

export type DomainEvents = Events<DomainEvent>

export const createDomainEvents = (transactor: Pick<Transactor, 'inTransaction'>): DomainEvents =>
  createEvents<DomainEvent>(transactor)
