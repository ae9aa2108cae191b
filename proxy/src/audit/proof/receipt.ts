import { canonicalJson, type Json } from '../../kernel/index.ts'
import { auditRowHash, type StoredAuditRow } from './row-hash.ts'

/** The signed text of a receipt, field by field, in this order. docs/receipts.md has the format byte for byte. */
export const RECEIPT_FIELDS = [
  'tenant',
  'kind',
  'request',
  'verdict',
  'choice',
  'terms',
  'consent',
  'decided-at',
  'decided-by',
  'name',
  'authenticator',
  'proof',
  'audit-row',
  'audit-event',
  'audit-request',
  'audit-data',
  'audit-previous',
  'audit-hash',
  'issuer-key',
] as const

export type ReceiptField = (typeof RECEIPT_FIELDS)[number]
/** Every field has a text; `-` where there is nothing. */
export type Receipt = Readonly<Record<ReceiptField, string>>

export const RECEIPT_FORMAT = 'oauth3 receipt v1'
const ABSENT = '-'

/** Rows that tell of a verdict, and where their request's id stands. */
const VERDICTS: Readonly<
  Record<string, { readonly kind: string; idOf(row: StoredAuditRow, data: VerdictData): unknown }>
> = {
  'approval.decided': { kind: 'execution', idOf: ({ requestId }) => requestId },
  'provider.decided': { kind: 'provider_access', idOf: (_row, { ask }) => ask },
  'tool_call.decided': { kind: 'run_tool_call', idOf: (_row, { call }) => call },
}

type VerdictData = Readonly<Record<string, Json>>

/** By the actor where the row names no authenticator: versions before knew these two. */
const AUTHENTICATORS: Readonly<Record<string, string>> = { cli: 'socket', telegram: 'telegram' }

/** The request that a row is the verdict on; undefined for any other row. */
export function requestOfVerdict(row: StoredAuditRow): string | undefined {
  const verdict = Object.hasOwn(VERDICTS, row.event) ? VERDICTS[row.event] : undefined
  const id = verdict?.idOf(row, dataOf(row) ?? {})
  return typeof id === 'string' ? id : undefined
}

/**
 * What a row says of a verdict, and nothing that it does not say: one row, one text. Undefined for a row that tells of none, or whose
 * content is not what was hashed. `issuerKey`: base64 of the public key.
 */
export function receiptOf(row: StoredAuditRow, tenant: string, issuerKey: string): Receipt | undefined {
  const request = requestOfVerdict(row)
  const data = dataOf(row)
  if (request === undefined || data === undefined || row.hash !== auditRowHash(row)) return undefined
  const { decision, scope, consent_hash: consent, name, authenticator, proof } = data
  if (typeof decision !== 'string') return undefined
  return {
    tenant,
    kind: VERDICTS[row.event]?.kind ?? ABSENT,
    request,
    verdict: decision === 'deny' ? 'denied' : 'approved',
    choice: asciiJson(decision),
    terms: optional(scope),
    consent: typeof consent === 'string' ? consent : ABSENT,
    'decided-at': new Date(row.at).toISOString(),
    'decided-by': row.actor,
    name: optional(name),
    authenticator:
      typeof authenticator === 'string'
        ? authenticator
        : (AUTHENTICATORS[row.actor.split(':')[0] ?? ''] ?? ABSENT),
    proof: optional(proof),
    'audit-row': String(row.id),
    'audit-event': row.event,
    'audit-request': row.requestId ?? ABSENT,
    'audit-data': asciiJson(data),
    'audit-previous': row.prevHash,
    'audit-hash': row.hash,
    'issuer-key': issuerKey,
  }
}

const optional = (value: Json | undefined): string =>
  value === undefined || value === null ? ABSENT : asciiJson(value)

/** Undefined for what is not the canonical JSON of an object, which is all that the daemon writes. */
function dataOf({ data }: StoredAuditRow): VerdictData | undefined {
  try {
    const value: unknown = JSON.parse(data)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && canonicalJson(value) === data ? (value as VerdictData) : undefined
  } catch {
    return undefined
  }
}

/** Canonical JSON in printable ASCII, since names are chosen by others: no control or bidirectional character reaches a terminal or hides a line. */
const asciiJson = (value: Json): string =>
  canonicalJson(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** What is signed. */
export const receiptText = (receipt: Receipt): string =>
  [RECEIPT_FORMAT, ...RECEIPT_FIELDS.map((field) => `${field}: ${receipt[field]}`), ''].join('\n')

/** The row that a receipt was made from; undefined where its fields are none of a row. */
export function rowOfReceipt(receipt: Receipt): StoredAuditRow | undefined {
  try {
    return {
      id: Number(receipt['audit-row']),
      at: Date.parse(receipt['decided-at']),
      event: receipt['audit-event'],
      actor: receipt['decided-by'],
      requestId: receipt['audit-request'] === ABSENT ? null : receipt['audit-request'],
      data: canonicalJson(JSON.parse(receipt['audit-data'])),
      prevHash: receipt['audit-previous'],
      hash: receipt['audit-hash'],
    }
  } catch {
    return undefined
  }
}
