import { ANY_CLAIMS, type LargeInspections } from '../../egress/index.ts'
import type { Background } from './background.ts'

/** The body is copied to another process: it is sent on when what it does was approved. */
export const createLargeInspections = ({ parsing }: Pick<Background, 'parsing'>): LargeInspections => ({
  async inspect(owner, inspection, body) {
    try {
      return await parsing.run(owner, 'inspect-body', { inspection, body })
    } catch {
      // Too long, too much memory, a process that died of it, too many of the owner's: what is not known to be harmless may do anything.
      return ANY_CLAIMS
    }
  },
})
