import type { UnixMs } from '../../kernel/index.ts'
import type { AuditRepository, StoredAuditRow } from './ports.ts'

/** What is looked for; null: anything. All of them must hold. */
export interface AuditFilter {
  /** Every agent of the name that is meant, revoked ones too. */
  readonly agentIds: ReadonlySet<string> | null
  /** A whole name, or its first half: `egress` is `egress.request` and `egress.refused`. */
  readonly event: string | null
  readonly secret: string | null
  readonly host: string | null
  /** Inclusive. */
  readonly since: UnixMs | null
  /** Exclusive. */
  readonly until: UnixMs | null
}

/** What the execution is about that a row names. */
export interface AuditSubject {
  readonly agentId: string
  readonly secrets: readonly string[]
  /** Patterns. */
  readonly hosts: readonly string[]
}

export interface AuditPage {
  /** The newest first. */
  readonly rows: readonly StoredAuditRow[]
  /** Ask again for what is before this row; null: there is nothing before that is not in an archive. */
  readonly next: number | null
}

/** Rows of one step, and of one answer: an audit of any length holds nobody up. */
const ROWS_A_STEP = 100
const ROWS_AN_ANSWER = 100_000

/**
 * From the newest row back. Rows are looked at rather than indexed: they are written in the transaction of everything that happens, and read
 * by a person now and then.
 */
export function* searchSteps(
  repository: Pick<AuditRepository, 'before'>,
  filter: AuditFilter,
  { before, limit }: { readonly before: number; readonly limit: number },
  subjectOf: (requestId: string) => AuditSubject | null,
): Generator<void, AuditPage> {
  const found: StoredAuditRow[] = []
  let at = before
  for (let looked = 0; looked < ROWS_AN_ANSWER; ) {
    const page = repository.before(at, ROWS_A_STEP)
    for (const row of page) {
      at = row.id
      if (!isWanted(row, filter, subjectOf)) continue
      found.push(row)
      if (found.length >= limit) return { rows: found, next: at }
    }
    if (page.length < ROWS_A_STEP) return { rows: found, next: null }
    looked += page.length
    yield
  }
  return { rows: found, next: at }
}

function isWanted(
  row: StoredAuditRow,
  filter: AuditFilter,
  subjectOf: (requestId: string) => AuditSubject | null,
): boolean {
  const { event, since, until, agentIds, secret, host } = filter
  if (event !== null && row.event !== event && !row.event.startsWith(`${event}.`)) return false
  if ((since !== null && row.at < since) || (until !== null && row.at >= until)) return false
  if (agentIds === null && secret === null && host === null) return true
  const data = dataOf(row)
  const subject = row.requestId === null ? null : subjectOf(row.requestId)
  return (
    (agentIds === null || isOfAgent(row, data, subject, agentIds)) &&
    (secret === null || namesSecret(row, data, subject, secret)) &&
    (host === null || namesHost(row, data, subject, host))
  )
}

type Data = Readonly<Record<string, unknown>>

function dataOf({ data }: StoredAuditRow): Data {
  try {
    const parsed: unknown = JSON.parse(data)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Data) : {}
  } catch {
    return {}
  }
}

/** The agent that caused a row, or that it is about; null: none. */
export function agentOfRow(
  row: Pick<StoredAuditRow, 'actor' | 'data'>,
  subject: AuditSubject | null,
): string | null {
  if (row.actor.startsWith('agent:')) return row.actor.slice('agent:'.length)
  const { agent_id: id } = dataOf(row as StoredAuditRow)
  return typeof id === 'string' ? id : (subject?.agentId ?? null)
}

function isOfAgent(
  { actor }: StoredAuditRow,
  data: Data,
  subject: AuditSubject | null,
  ids: ReadonlySet<string>,
): boolean {
  return [actor.replace(/^agent:/, ''), data.agent_id, subject?.agentId].some(
    (id) => typeof id === 'string' && ids.has(id),
  )
}

/** Of a request that was sent only what went with it counts, and not all that its run was approved for. */
const isOfOneRequest = ({ event }: StoredAuditRow): boolean => event.startsWith('egress.')

function namesSecret(row: StoredAuditRow, data: Data, subject: AuditSubject | null, name: string): boolean {
  if (row.event.startsWith('secret.')) return [data.name, data.from, data.to].includes(name)
  const named = [data.secrets, data.missing, data.misplaced].flatMap((part) =>
    Array.isArray(part) ? part : [],
  )
  return named.includes(name) || (!isOfOneRequest(row) && subject?.secrets.includes(name) === true)
}

function namesHost(row: StoredAuditRow, data: Data, subject: AuditSubject | null, wanted: string): boolean {
  const named = [data.host, data.origin, data.url, ...(Array.isArray(data.hosts) ? data.hosts : [])]
  const patterns = isOfOneRequest(row) ? named : [...named, ...(subject?.hosts ?? [])]
  const host = plainHost(wanted)
  return patterns.some((pattern) => typeof pattern === 'string' && covers(plainHost(pattern), host))
}

const covers = (pattern: string, host: string): boolean =>
  pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)))

/** Without scheme, port and what comes behind them. */
const plainHost = (text: string): string =>
  text
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/:[0-9]+$/, '')
