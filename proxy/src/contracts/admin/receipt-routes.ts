import { z } from 'zod'
import type { Route } from '../index.ts'
import { queryNumber } from './schemas.ts'

const receiptKeyView = z.object({
  /** `sha256:` and the hex SHA-256 of the 32 bytes of the public key. */
  fingerprint: z.string(),
  /** As verifiers of C2SP signed notes take it. */
  verifier_key: z.string(),
  /** SubjectPublicKeyInfo (RFC 8410), for openssl. */
  pem: z.string(),
})
export type ReceiptKeyView = z.output<typeof receiptKeyView>

/** The owner's routes about signed statements of verdicts: a part of ADMIN_ROUTES. */
export const RECEIPT_ROUTES = {
  readReceiptKey: {
    method: 'GET',
    path: '/v1/receipt-key',
    summary: 'The public key that receipts of this tenant are signed with.',
    scope: 'owner',
    action: 'audit.read',
    answer: receiptKeyView,
    errors: [],
  },
  readReceipt: {
    method: 'GET',
    path: '/v1/receipts/:id',
    summary: 'A signed statement of the newest verdict on a request, or of the one in audit row `row`.',
    scope: 'owner',
    action: 'audit.read',
    query: z.strictObject({ row: queryNumber.optional() }),
    /** `row`: of the audit. `text`: the file, word for word. */
    answer: z.object({ request: z.string(), row: z.int(), text: z.string(), key: receiptKeyView }),
    errors: ['invalid_request', 'not_found', 'conflict'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
