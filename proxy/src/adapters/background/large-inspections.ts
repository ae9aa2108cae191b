import { ANY_CLAIMS, type LargeInspections } from '../../domain/egress/index.ts'
import type { Background } from './background.ts'

/** The body is copied: it is sent on when what it does was approved. */
export const createLargeInspections = ({ heavy }: Pick<Background, 'heavy'>): LargeInspections => ({
  async inspect(owner, inspection, body) {
    const copy = new Uint8Array(body)
    try {
      return await heavy.run(owner, 'inspect-body', { inspection, body: copy }, { transfer: [copy.buffer] })
    } catch {
      // Too long, too much memory, too many of the owner's: what is not known to be harmless may do anything.
      return ANY_CLAIMS
    }
  },
})
