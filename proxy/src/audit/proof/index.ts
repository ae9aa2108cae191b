export { checkExport } from './check-export.ts'
export { votesOf } from './proof-of-receipt.ts'
export { RECEIPT_FIELDS, requestOfVerdict } from './receipt.ts'
export { auditRowHash, GENESIS, type StoredAuditRow } from './row-hash.ts'
export { privateKeyOf } from './signed-note.ts'
export {
  createReceiptSigner,
  RECEIPT_PROBLEMS,
  type ReceiptKey,
  trustedFingerprint,
  verifyReceipt,
} from './verify-receipt.ts'
