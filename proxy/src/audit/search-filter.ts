import type { ReadTx, UnixMs } from '../kernel/index.ts'

/** What the execution is about that a row names. */
export interface AuditSubject {
  readonly agentId: string
  readonly secrets: readonly string[]
  /** Patterns. */
  readonly hosts: readonly string[]
}

/** What is looked for; null: anything. All of them must hold. */
export interface AuditFilter {
  /** Every agent of the name that is meant, revoked ones too. */
  readonly agentIds: ReadonlySet<string> | null
  /** A whole name, or its first half: `egress` is `egress.request` and `egress.refused`. */
  readonly event: string | null
  readonly secret: string | null
  readonly host: string | null
  /** Of one execution or access request. */
  readonly requestId: string | null
  /** Inclusive. */
  readonly since: UnixMs | null
  /** Exclusive. */
  readonly until: UnixMs | null
}

/** Null: of no execution that is known. */
export type SubjectOf = (tx: ReadTx, requestId: string) => Promise<AuditSubject | null>
