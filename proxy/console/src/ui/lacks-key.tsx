import type { HostedAgentView } from '../../../src/contracts/admin/index.ts'
import { Link } from './link.tsx'

/** Without a key its model answers nothing, and it says so itself only after a minute of trying. */
export function LacksKey({ host: { name, lacks_key_of: provider } }: { readonly host: HostedAgentView }) {
  if (provider === null) return null
  return (
    <p class="note bad" role="alert">
      There is no key of <bdi>{provider}</bdi> that <bdi>{name}</bdi> may use, so its model answers nothing.{' '}
      <Link to="/providers">Store one</Link>.
    </p>
  )
}
