import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { isProofOf } from './proof-of-receipt.ts'
import {
  RECEIPT_FIELDS,
  RECEIPT_FORMAT,
  type Receipt,
  type ReceiptField,
  receiptOf,
  receiptText,
  rowOfReceipt,
} from './receipt.ts'
import type { StoredAuditRow } from './row-hash.ts'
import {
  bytesOfKey,
  isSignedBy,
  parseVerifierKey,
  publicKeyOf,
  readNote,
  signNote,
  verifierKey,
} from './signed-note.ts'

/** By which key receipts are signed: for people, for programs and for `openssl`. */
export interface ReceiptKey {
  readonly fingerprint: string
  readonly verifierKey: string
  readonly pem: string
}

type ReceiptProblem = keyof typeof RECEIPT_PROBLEMS

/** Why a receipt is none. */
export const RECEIPT_PROBLEMS = {
  too_large: 'It is larger than any receipt.',
  not_text: 'It is not UTF-8.',
  not_a_receipt: 'It does not begin like a receipt.',
  unknown_version: 'It is a receipt of a version that this program does not know.',
  malformed_signature:
    'What should be its one signature is none, or more than one, or written in another form.',
  malformed_fields: 'Its fields are not those of its version, each once and in their order.',
  malformed_key: 'The key that it names is no Ed25519 key.',
  other_key: 'It was signed by another key than the one that is trusted.',
  wrong_signature: 'Its signature is not of these words: they were changed, or the key never signed them.',
  contradiction: 'Its fields are not what its audit row says.',
  wrong_proof:
    'What it holds as proof is not a passkey’s signature over this answer to this request by this person.',
} as const

export type VerifiedReceipt =
  | {
      readonly ok: true
      readonly receipt: Receipt
      readonly row: StoredAuditRow
      readonly key: ReceiptKey
      /** False: it is signed by the key that it names itself, which anybody could have made. */
      readonly isTrusted: boolean
    }
  | { readonly ok: false; readonly problem: ReceiptProblem }

const KEY_NAME = 'oauth3-receipt'
/** A verdict's row with its proof is a few thousand bytes. */
const MAX_BYTES = 1_048_576
const FINGERPRINT = /^sha256:[0-9a-f]{64}$/

const fingerprintOf = (publicKey: Uint8Array): string =>
  `sha256:${createHash('sha256').update(publicKey).digest('hex')}`

const describeKey = (publicKey: Uint8Array): ReceiptKey => ({
  fingerprint: fingerprintOf(publicKey),
  verifierKey: verifierKey(KEY_NAME, publicKey),
  pem: publicKeyOf(publicKey).export({ format: 'pem', type: 'spki' }).toString(),
})

/** Signs what rows say, as the issuer of a tenant. */
export interface ReceiptSigner {
  readonly key: ReceiptKey
  /** The file; undefined for a row that is no verdict, or was changed. */
  sign(row: StoredAuditRow, tenant: string): string | undefined
}

export function createReceiptSigner(privateKey: KeyObject): ReceiptSigner {
  const publicKey = bytesOfKey(createPublicKey(privateKey))
  return {
    key: describeKey(publicKey),
    sign(row, tenant) {
      const receipt = receiptOf(row, tenant, publicKey.toString('base64'))
      const file = receipt && signNote(receiptText(receipt), KEY_NAME, privateKey)
      // Fields of a row that nobody's code wrote may hold what no receipt can.
      return file !== undefined && verifyReceipt(Buffer.from(file), null).ok ? file : undefined
    },
  }
}

/** The fingerprint of what a person names as a key: a fingerprint, or a verifier key; undefined for neither. */
export function trustedFingerprint(text: string): string | undefined {
  if (FINGERPRINT.test(text)) return text
  const publicKey = parseVerifierKey(KEY_NAME, text)
  return publicKey && fingerprintOf(publicKey)
}

/** Pure: needs no daemon, no clock and no file. `trusted`: the fingerprint that the key must have; null: any key will do. */
export function verifyReceipt(bytes: Uint8Array, trusted: string | null): VerifiedReceipt {
  const fail = (problem: ReceiptProblem): VerifiedReceipt => ({ ok: false, problem })
  if (bytes.length > MAX_BYTES) return fail('too_large')
  const file = textOf(bytes)
  if (file === undefined) return fail('not_text')
  if (!file.startsWith(`${RECEIPT_FORMAT}\n`))
    return fail(/^oauth3 receipt v[0-9]+\n/.test(file) ? 'unknown_version' : 'not_a_receipt')
  const note = readNote(file)
  if (note === undefined || note.keyName !== KEY_NAME) return fail('malformed_signature')
  const receipt = readFields(note.text)
  if (receipt === undefined) return fail('malformed_fields')
  const publicKey = Buffer.from(receipt['issuer-key'], 'base64')
  if (publicKey.length !== 32) return fail('malformed_key')
  if (trusted !== null && fingerprintOf(publicKey) !== trusted) return fail('other_key')
  if (!isSignedBy(note, publicKey)) return fail('wrong_signature')
  const row = rowOfReceipt(receipt)
  const again = row && receiptOf(row, receipt.tenant, publicKey.toString('base64'))
  // The fields once more, from the row: one that was signed beside what its row says, or in another form, is no receipt.
  if (row === undefined || again === undefined || receiptText(again) !== note.text)
    return fail('contradiction')
  if (!isProofOf(receipt)) return fail('wrong_proof')
  return { ok: true, receipt, row, key: describeKey(publicKey), isTrusted: trusted !== null }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function readFields(text: string): Receipt | undefined {
  const lines = text.split('\n').slice(1, -1)
  if (lines.length !== RECEIPT_FIELDS.length) return undefined
  const fields: Partial<Record<ReceiptField, string>> = {}
  for (const [at, field] of RECEIPT_FIELDS.entries()) {
    const line = lines[at] ?? ''
    if (!line.startsWith(`${field}: `) || !/^[\x20-\x7e]+$/.test(line)) return undefined
    fields[field] = line.slice(field.length + 2)
  }
  return fields as Receipt
}
