import type { Json, UnixMs } from '../../kernel/index.ts'

/** Runs `work` as one transaction: all of it is on disk when it returns, or none of it happened. */
/**
 * When a commit is on the disk. `immediate`: when `transact` returns, for what a person decides. `grouped`: soon after, with
 * others, without holding up the event loop; a crash of the process loses nothing of it, a power cut may. Whoever acts on it
 * outside waits for `flushed`.
 */
export type Durability = 'immediate' | 'grouped'

export interface Transactor {
  /** Whether the caller stands inside a transaction. */
  readonly inTransaction: boolean
  /** A call inside another joins it. */
  transact<T>(work: () => T, durability?: Durability): T
  /** Runs `work` soon after the transaction around this call is on disk, and never if it was undone. */
  afterCommit(work: () => void): void
  /** Resolves when all that was committed so far is on disk; rejects with `storage_unavailable`. */
  flushed(): Promise<void>
}

/** Every event there is. `docs/reference/audit-events.md` is generated from this table. */
export const AUDIT_EVENTS = {
  'daemon.started': 'The daemon opened the database.',
  'daemon.stopped': 'The daemon drained and closed.',
  'agent.added': 'An agent token was made.',
  'agent.revoked': 'An agent token was revoked.',
  'agent.token_rotated': 'An agent got a new token; until when the old one is good beside it.',
  'agent.token_ended': 'The old token of an agent is refused from now on.',
  'agent.tagged': 'The tags of an agent were changed.',
  'request.refused': 'A request was refused before anything was stored.',
  'request.received': 'An execution was stored; its consent hash is named.',
  'approval.asked': 'A card was delivered.',
  'approval.decided': 'A person decided.',
  'approval.refused': 'A decision was not accepted: wrong person, wrong chat, stale or forged.',
  'trust.granted': 'A grant was stored.',
  'trust.used': 'A stored grant covered a request.',
  'trust.ended': 'A grant reached its end.',
  'trust.revoked': 'A person revoked a grant.',
  'execution.awaiting_secrets': 'Approved code waits for secrets that are not stored.',
  'execution.started': 'The code was handed to a sandbox.',
  'execution.postponed': 'No sandbox could take the run; the code was not handed over and it waits again.',
  'execution.finished': 'The run ended; the status is named.',
  'execution.cancelled': 'The agent cancelled what had not started.',
  'execution.expired': 'Nobody answered in time.',
  'execution.acknowledged': 'The agent has the result.',
  'secret.stored': 'A secret was stored or replaced.',
  'secret.renamed': 'A secret was renamed.',
  'secret.removed': 'A secret was removed.',
  'secret.opened': 'A secret was decrypted for a run.',
  'egress.request':
    'A run made a request through the gateway: path without query, names of the secrets put in. Or the daemon did for an agent: `for` says `imports` or `skill_url`.',
  'egress.refused':
    'The gateway refused a request of a run, or the daemon a `skill_url` or an import; the rule is named.',
  'provider.added': 'The owner added a provider of LLMs.',
  'provider.removed': 'The owner removed a provider.',
  'provider.changed': 'The owner filled in a parameter of a provider.',
  'provider.key_added': "A provider's key was stored.",
  'provider.key_removed': "A provider's key was removed.",
  'provider.key_opened':
    "A provider's key was decrypted for requests; it is kept in memory for a short time.",
  'provider.asked': 'An agent used a provider that it has no grant for; the owner is asked.',
  'provider.decided': 'A person answered what an agent may use of a provider.',
  'provider.granted': 'A grant for a provider was stored.',
  'provider.changed_grant': 'The owner changed the limits, models or paths of a grant.',
  'provider.ended': 'A grant for a provider reached its end.',
  'provider.revoked': 'A person revoked a grant for a provider.',
  'provider.expired': 'Nobody answered what an agent may use of a provider in time.',
  'provider.limit_passed': 'An agent passed a limit of its grant; told once for each window.',
  'price.set': 'The owner set or removed the price of a model.',
  'key.rotated': 'The data key or master key was replaced.',
  'storage.pruned':
    'Output, ended requests, grants and asks, or usage were dropped, by age, size or by hand; how many.',
  'storage.low': 'The disk is nearly full: new requests are refused.',
  'storage.recovered': 'The disk has room again.',
  'audit.archived': 'Rows were moved into a sealed file; its name, range, head and digest.',
  'wake.delivered': 'A wake target accepted a wake.',
  'wake.failed': 'A wake target refused or did not answer.',
  'wake.given_up': 'The agent never fetched the outcome and is not woken for it again.',
  'telegram.chat_moved': 'The chat became a supergroup with another id, and is followed there.',
  'telegram.given_up': 'A message to the chat can never be delivered; it was taken out of the queue.',
  'telegram.rejected': 'A message or press of a stranger was ignored.',
} as const

export type AuditEventName = keyof typeof AUDIT_EVENTS

/** One row of `audit_log`. */
interface AuditRow {
  readonly id: number
  readonly at: UnixMs
  readonly event: AuditEventName
  /** Who caused it: `agent:<id>`, `telegram:<user id>`, `cli:<uid>`, `daemon`. */
  readonly actor: string
  readonly requestId: string | null
  readonly data: Json
  readonly prevHash: string
  readonly hash: string
}

/** The newest row's id and hash under a MAC of the audit key, so that cutting off the tail shows. */
export interface AuditSeal {
  readonly id: number
  readonly hash: string
  readonly mac: string
}

/** Where the live rows go on from: the last archived row, under a MAC of the audit key. */
export interface AuditAnchor {
  readonly id: number
  readonly hash: string
  /** Of the archive that ends there. */
  readonly digest: string
  readonly mac: string
}

/** A sealed file of archived rows. */
export interface AuditArchive {
  readonly name: string
  readonly first: number
  readonly last: number
  /** The hash of the row before the first. */
  readonly previous: string
  /** The hash of the last row. */
  readonly head: string
  /** SHA-256 of its rows' lines. */
  readonly digest: string
  readonly bytes: number
  readonly archivedAt: UnixMs
}

/** The folder of archives. */
export interface AuditArchiveFiles {
  /** When it resolves the file is whole and on disk under its name; when it rejects there is none. */
  write(name: string, text: AsyncIterable<string>): Promise<void>
  /** The file's lines; rejects when there is no such file, or it is no text in lines. */
  lines(name: string): AsyncIterable<string>
  /** Removes files that begin with row `first` and are not listed, and what was never finished. */
  removeFrom(first: number, listed: ReadonlySet<string>): Promise<void>
}

export interface AuditRepository {
  /** Rows in order of id, as stored; `data` is the text, since a changed byte must show. */
  rows(afterId: number, limit: number): readonly StoredAuditRow[]
  newest(limit: number): readonly StoredAuditRow[]
  /** Before a row, the newest first. */
  before(id: number, limit: number): readonly StoredAuditRow[]
  insert(row: StoredAuditRow): void
  seal(): AuditSeal | undefined
  writeSeal(seal: AuditSeal): void
  anchor(): AuditAnchor | undefined
  writeAnchor(anchor: AuditAnchor): void
  /** By range, the oldest first. */
  archives(): readonly AuditArchive[]
  addArchive(archive: AuditArchive): void
  /** Deletes the oldest rows, none beyond `id`; how many. Refused by the table beyond what is archived. */
  deleteUpTo(id: number, limit: number): number
}

export interface StoredAuditRow extends Omit<AuditRow, 'data' | 'event'> {
  readonly event: string
  readonly data: string
}
