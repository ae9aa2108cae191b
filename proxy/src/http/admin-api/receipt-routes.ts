import type { Approvals } from '../../approvals/index.ts'
import type { Receipts } from '../../audit/index.ts'
import type { ReceiptKeyView } from '../../contracts/admin/index.ts'
import { AppError, type DoctorCheck, type Storage } from '../../kernel/index.ts'
import type { AdminHandlers } from '../admin-routes/index.ts'

interface ReceiptRoutesDeps {
  readonly receipts: Receipts
  readonly approvals: Pick<Approvals, 'resolve'>
  readonly storage: Pick<Storage, 'read'>
}

export const receiptCheck = ({ key }: Pick<Receipts, 'key'>): DoctorCheck => ({
  name: 'receipts',
  run: async () => ({ ok: true, said: `signed by ${key.fingerprint}` }),
})

/** Signed statements of verdicts, also on requests that are not kept any more: those by their whole id. */
export function receiptRoutes({ receipts, approvals, storage }: ReceiptRoutesDeps) {
  const resolve = async (text: string): Promise<string> => {
    try {
      return await storage.read((tx) => approvals.resolve(tx, text))
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return text
      throw error
    }
  }
  const key: ReceiptKeyView = {
    fingerprint: receipts.key.fingerprint,
    verifier_key: receipts.key.verifierKey,
    pem: receipts.key.pem,
  }
  return {
    readReceiptKey: () => key,
    async readReceipt({ params, query }) {
      const request = await resolve(params.id)
      return { request, key, ...(await receipts.issue(request, query.row)) }
    },
  } satisfies Partial<AdminHandlers>
}
