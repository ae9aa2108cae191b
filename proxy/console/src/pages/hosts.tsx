import type { HostedAgentView } from '../../../src/contracts/admin/index.ts'
import { HOST_DEFAULTS } from '../../../src/contracts/host-defaults.ts'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { HostState } from '../ui/host-state.tsx'
import { LacksKey } from '../ui/lacks-key.tsx'
import { Link } from '../ui/link.tsx'
import { HostGenerations } from './host-generations.tsx'
import { HostUsage } from './host-usage.tsx'

function Order({
  host: { name },
  order,
  label,
  done,
  after,
}: {
  readonly host: HostedAgentView
  readonly order: 'wake' | 'sleep' | 'stop'
  readonly label: string
  readonly done: string
  readonly after: () => void
}) {
  const { isBusy, refusal, run } = useAct()
  return (
    <>
      <button
        type="button"
        class="small"
        disabled={isBusy}
        onClick={() =>
          void run(() => api.call('orderHost', { params: { name }, body: { order } }), done).then(after)
        }
      >
        {label}
      </button>
      <span class="refusal" role="alert">
        {refusal}
      </span>
    </>
  )
}

function Acts({ host, after }: { readonly host: HostedAgentView; readonly after: () => void }) {
  const { name } = host
  return (
    <div class="acts">
      <Order host={host} order="wake" label="Wake" done={`${name} is woken.`} after={after} />
      <Order host={host} order="sleep" label="Pause" done={`${name} is paused.`} after={after} />
      <Order
        host={host}
        order="stop"
        label="Stop"
        done={`${name} is stopped; its files stay.`}
        after={after}
      />
      <ConfirmButton
        label="Remove"
        title={`Remove ${name}?`}
        act={() => api.call('orderHost', { params: { name }, body: { order: 'remove' } })}
        done={`${name} is removed.`}
        after={after}
      >
        <p>Its files go with it, and its token is revoked.</p>
      </ConfirmButton>
    </div>
  )
}

function Reach({ hosts, after }: { readonly hosts: readonly HostedAgentView[]; readonly after: () => void }) {
  const change = ({ name = '', allow = '', deny = '' }: Fields): Promise<unknown> =>
    api.call('reachFromHost', { params: { name }, body: { allow: words(allow), deny: words(deny) } })
  return (
    <FoldedForm title="Let one reach hosts" submit="Change" send={change} done="Changed." after={after}>
      <Field name="name" label="Name" isRequired list={hosts.map(({ name }) => name)} maxLength={64} />
      <Field
        name="allow"
        label="May reach"
        hint="Hosts with a space between; it reaches them through the gateway, and no secret goes there by it."
        placeholder="api.example.com *.example.org"
      />
      <Field name="deny" label="May not reach any more" hint="What is under way ends." />
    </FoldedForm>
  )
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

const add = ({ name = '', provider = '', model = '', sleepAfter = '' }: Fields): Promise<unknown> =>
  api.call('addHost', {
    body: { name, provider, model, ...(sleepAfter === '' ? {} : { sleep_after: sleepAfter }) },
  })

const addBrowser = ({ name = '', agent = '' }: Fields): Promise<unknown> =>
  api.call('addBrowser', { body: { name, agent } })

/** Agents that live here, each in a machine of its own. */
export default function Hosts() {
  const hosts = useLoaded(() => api.call('listHosts'), 'hosts', ['machine.', 'provider.'])
  return (
    <>
      <h1>Hosted agents</h1>
      <p class="lead">
        An OpenClaw in a container of its own, without a network and without a key. It asks for secrets as
        every agent does, and is paused while nobody uses it.
      </p>
      <FoldedForm title="Add one" submit="Add" send={add} done="It is being started." after={hosts.reload}>
        <Field name="name" label="Name" isRequired placeholder="claw" maxLength={64} />
        <Field
          name="provider"
          label="Provider of its model"
          isRequired
          value={HOST_DEFAULTS.provider}
          maxLength={64}
        />
        <Field name="model" label="Model" isRequired value={HOST_DEFAULTS.model} maxLength={128} />
        <Field name="sleepAfter" label="Paused when idle for" placeholder="10m, 1h, never" maxLength={16} />
      </FoldedForm>
      <FoldedForm
        title="Add a browser"
        submit="Add"
        send={addBrowser}
        done="It is being started."
        after={hosts.reload}
      >
        <Field name="name" label="Name" isRequired placeholder="web" maxLength={64} />
        <Field
          name="agent"
          label="Agent whose it is"
          hint="It reaches the browser at /cdp with its token."
          isRequired
          maxLength={64}
        />
      </FoldedForm>
      <Show of={hosts}>
        {({ hosts: rows }) => (
          <>
            {rows.map((host) => (
              <LacksKey key={host.id} host={host} />
            ))}
            {rows.length > 0 && <Reach hosts={rows} after={hosts.reload} />}
            <Section title="All of them">
              <Table
                label="Hosted agents"
                rows={rows}
                keyOf={({ id }) => id}
                empty="None yet. Add one above; its provider needs a key on the Providers page."
                columns={[
                  {
                    title: 'Name',
                    isName: true,
                    cell: ({ kind, name }) =>
                      kind !== 'openclaw' ? (
                        <bdi>{name}</bdi>
                      ) : (
                        <Link to={`/hosts/${encodeURIComponent(name)}`} aria-label={`Chat with ${name}`}>
                          <bdi>{name}</bdi>
                        </Link>
                      ),
                  },
                  { title: 'State', cell: (host) => <HostState host={host} /> },
                  {
                    title: 'Model',
                    cell: ({ kind, model }) => (kind === 'openclaw' ? <bdi>{model}</bdi> : `a ${kind}`),
                  },
                  {
                    title: 'May reach',
                    cell: ({ egress }) => <bdi>{egress.join(', ') || 'no host'}</bdi>,
                  },
                  { title: 'Made', cell: ({ created_at }) => <Time at={created_at} /> },
                  { title: '', cell: (host) => <Acts host={host} after={hosts.reload} /> },
                ]}
              />
            </Section>
            {rows.length > 0 && <HostUsage hosts={rows} />}
            {rows.length > 0 && <HostGenerations hosts={rows} after={hosts.reload} />}
          </>
        )}
      </Show>
    </>
  )
}
