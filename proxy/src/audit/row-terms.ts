import { agentOfActor } from '../identity/index.ts'
import type { StoredAuditRow } from './ports.ts'
import type { AuditFilter, AuditSubject } from './search-filter.ts'

/** Longer than what a filter may hold: nothing that is looked for is left out. */
const MAX_TERM_CHARS = 320

const TERM = { agent: 'a', event: 'e', secret: 's', host: 'h' } as const
const term = (kind: keyof typeof TERM, text: string): string => `${TERM[kind]}:${text}`

/** Everything by which a row may be found: what stands in it, and what its execution is about. */
export function termsOfRow(row: StoredAuditRow, subject: AuditSubject | null): ReadonlySet<string> {
  const data = dataOf(row)
  return new Set(
    [
      ...eventTerms(row.event),
      ...agentsOf(row, data, subject).map((id) => term('agent', id)),
      ...secretsOf(row, data, subject).map((name) => term('secret', name)),
      ...hostsOf(row, data, subject).map((pattern) => term('host', plainHost(pattern))),
    ].filter((each) => each.length <= MAX_TERM_CHARS),
  )
}

/** One list for each thing that is looked for: a row that fits has a term of every list. */
export function wantedTerms({ event, agentIds, secret, host }: AuditFilter): readonly (readonly string[])[] {
  return [
    ...(event === null ? [] : [[term('event', event)]]),
    ...(agentIds === null ? [] : [[...agentIds].map((id) => term('agent', id))]),
    ...(secret === null ? [] : [[term('secret', secret)]]),
    ...(host === null ? [] : [patternsOver(plainHost(host)).map((pattern) => term('host', pattern))]),
  ]
}

/** The agent that caused a row, or that it is about; null: none. */
export const agentOfRow = (row: StoredAuditRow, subject: AuditSubject | null): string | null =>
  agentsOf(row, dataOf(row), subject)[0] ?? null

type Data = Readonly<Record<string, unknown>>

function dataOf({ data }: StoredAuditRow): Data {
  try {
    const parsed: unknown = JSON.parse(data)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Data) : {}
  } catch {
    return {}
  }
}

const strings = (values: readonly unknown[]): string[] =>
  values.filter((value): value is string => typeof value === 'string')
const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** `egress.request` and `egress`. */
const eventTerms = (event: string): string[] =>
  [...event.matchAll(/\.|$/g)].map(({ index }) => term('event', event.slice(0, index)))

const agentsOf = ({ actor }: StoredAuditRow, data: Data, subject: AuditSubject | null): string[] =>
  strings([agentOfActor(actor), data.agent_id, subject?.agentId])

/** Of a request that was sent only what went with it counts, and not all that its run was approved for. */
const isOfOneRequest = ({ event }: StoredAuditRow): boolean => event.startsWith('egress.')

function secretsOf(row: StoredAuditRow, data: Data, subject: AuditSubject | null): string[] {
  if (row.event.startsWith('secret.')) return strings([data.name, data.from, data.to])
  const named = [data.secrets, data.missing, data.misplaced].flatMap(listed)
  return strings(isOfOneRequest(row) ? named : [...named, ...(subject?.secrets ?? [])])
}

function hostsOf(row: StoredAuditRow, data: Data, subject: AuditSubject | null): string[] {
  const named = [data.host, data.origin, data.url, ...listed(data.hosts)]
  return strings(isOfOneRequest(row) ? named : [...named, ...(subject?.hosts ?? [])])
}

/** The host itself, and every pattern that it falls under: `*.example.com` of `api.example.com`. */
function patternsOver(host: string): string[] {
  const dots = [...host.matchAll(/\./g)].map(({ index }) => `*${host.slice(index)}`)
  return [...new Set([host, ...dots])]
}

/** Without scheme, port and what comes behind them. */
const plainHost = (text: string): string =>
  text
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/:[0-9]+$/, '')
