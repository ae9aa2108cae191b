import type { ProcessListView } from '../../../src/contracts/admin/index.ts'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { bytes, count } from '../admin/texts.ts'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import type { PageProps } from './table.ts'

/** What runs in a hosted agent's machine, and what that printed. Each look is in the audit: nothing is read again by itself. */
export default function HostInside({ params }: PageProps) {
  const name = params.name ?? ''
  const of = { params: { name } }
  const processes = useLoaded(() => api.call('listHostProcesses', of), name)
  const log = useLoaded(() => api.call('readHostLog', { ...of, query: {} }), name)
  const version = useLoaded(() => api.call('readHostVersion', of), name)
  const again = (): void => {
    processes.reload()
    log.reload()
    version.reload()
  }
  return (
    <>
      <header class="page-head">
        <h1>
          Inside <bdi>{name}</bdi>
        </h1>
        <Link to={`/hosts/${encodeURIComponent(name)}`}>Chat</Link>
        <button type="button" class="small" onClick={again}>
          Look again
        </button>
      </header>
      <p class="lead">
        Seen from outside: nothing is run in it, and it is not woken. Secrets, keys and tokens are cut out.
      </p>
      <Section title="Made of">
        <Show of={version}>
          {({ image, openclaw_version, node_version }) => (
            <p>
              <bdi>{image}</bdi>
              {openclaw_version !== null && (
                <>
                  , OpenClaw <bdi>{openclaw_version}</bdi>
                </>
              )}
              {node_version !== null && (
                <>
                  , Node <bdi>{node_version}</bdi>
                </>
              )}
            </p>
          )}
        </Show>
      </Section>
      <Section title="What it printed">
        <Show of={log}>
          {({ state, stdout, truncated }) =>
            stdout === '' ? (
              <p class="empty">Nothing that is kept: it is {state}.</p>
            ) : (
              <>
                {truncated && <p class="soft">Older lines are left out.</p>}
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
                <pre class="output" tabIndex={0}>
                  {stdout}
                </pre>
              </>
            )
          }
        </Show>
      </Section>
      <Section title="What runs">
        <Show of={processes}>{(list) => <Processes list={list} />}</Show>
      </Section>
    </>
  )
}

function Processes({ list: { state, processes } }: { readonly list: ProcessListView }) {
  return (
    <Table
      label="Processes"
      rows={processes}
      keyOf={({ id }) => id}
      empty={`Nothing: it is ${state}.`}
      columns={[
        { title: 'Program', isName: true, cell: ({ command }) => <bdi>{command}</bdi> },
        { title: 'Id', isNumber: true, cell: ({ id }) => id },
        { title: 'Parent', isNumber: true, cell: ({ parent_id }) => parent_id ?? '' },
        { title: 'Status', cell: ({ status }) => status },
        { title: 'Seconds', isNumber: true, cell: ({ seconds }) => count(seconds) },
        { title: 'Memory', isNumber: true, cell: ({ memory_bytes }) => bytes(memory_bytes) },
      ]}
    />
  )
}
