import { Section, Show } from '../admin/section.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { isOfInstallation } from '../state/session-signals.ts'
import { Copy } from '../ui/copy.tsx'
import { Link } from '../ui/link.tsx'
import { Doctor } from './doctor.tsx'
import { Push } from './push.tsx'
import { Quorum } from './quorum.tsx'
import { Sessions } from './sessions.tsx'
import { Upkeep } from './upkeep.tsx'

function Status() {
  const status = useLoaded(() => api.call('readStatus'), 'status')
  return (
    <Section title="The daemon">
      <Show of={status}>
        {(of) => (
          <>
            <dl class="pairs">
              <dt>State</dt>
              <dd class={of.status === 'ok' ? 'tone-good' : 'tone-bad'}>{of.status}</dd>
              <dt>Version</dt>
              <dd>{of.version}</dd>
              <dt>Agents reach it at</dt>
              <dd>
                <code>{of.url}</code>
              </dd>
              <dt>Code runs in</dt>
              <dd>{of.sandbox}</dd>
              <dt>Database</dt>
              <dd>
                {of.database_engine}, {of.database}
              </dd>
              <dt>Telegram</dt>
              <dd>{of.telegram}</dd>
            </dl>
            {of.notes.map((note) => (
              <p class="note" key={note}>
                {note}
              </p>
            ))}
          </>
        )}
      </Show>
    </Section>
  )
}

/** Who verifies a receipt is told this key by another way. */
function Receipts() {
  const key = useLoaded(() => api.call('readReceiptKey'), 'receipt-key')
  return (
    <Section title="Receipts">
      <p class="soft">
        Each request that was answered has one on its page: a signed statement that anybody can verify. Signed
        by:
      </p>
      <Show of={key}>{({ fingerprint }) => <Copy text={fingerprint} />}</Show>
    </Section>
  )
}

/** How the daemon is, and what keeps it so. */
export default function Settings() {
  return (
    <>
      <h1>Settings</h1>
      <p class="lead">
        More: <Link to="/passkeys">passkeys</Link>, <Link to="/tenants">tenants</Link>,{' '}
        <Link to="/prices">prices</Link>, <Link to="/try">try a program</Link>.
      </p>
      <Status />
      <Push />
      <Sessions />
      <Quorum />
      <Receipts />
      {isOfInstallation() && <Doctor />}
      <Upkeep />
    </>
  )
}
