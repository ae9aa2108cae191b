import type { UsageGroupView } from '../../../src/contracts/admin/index.ts'
import { count, dollars } from './texts.ts'

/** A sum, and how many requests of it have no price. */
export function Money({ of }: { readonly of: Pick<UsageGroupView, 'micro_usd' | 'unpriced'> }) {
  return (
    <>
      {dollars(of.micro_usd)}
      {of.unpriced > 0 && <span class="tone-caution"> + {count(of.unpriced)} unpriced</span>}
    </>
  )
}
