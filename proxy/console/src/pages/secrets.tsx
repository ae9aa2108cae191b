import { ConfirmButton } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const store = async ({ name = '', value = '', hosts }: Fields): Promise<unknown> => {
  const given = wordsIn(hosts)
  return api.call('putSecret', {
    params: { name },
    body: given.length > 0 ? { value, hosts: given } : { value },
  })
}

function RiskButton({
  name,
  risk,
  after,
}: {
  readonly name: string
  readonly risk: 'normal' | 'high'
  readonly after: () => void
}) {
  const other = risk === 'high' ? 'normal' : 'high'
  return (
    <ConfirmButton
      label={other === 'high' ? 'High risk' : 'Normal risk'}
      title={
        other === 'high'
          ? `Ask for a passkey whenever ${name} is used?`
          : `Let ${name} be used without a passkey?`
      }
      act={() => api.call('setSecretRisk', { params: { name }, body: { risk: other } })}
      done={`${name} is of ${other} risk.`}
      after={after}
      isDanger={other === 'normal'}
    >
      <p>
        {other === 'high'
          ? 'A yes in Telegram or a terminal is refused then: it takes a passkey, here.'
          : 'A yes in any channel is enough again.'}
      </p>
    </ConfirmButton>
  )
}

/** Names, hosts and versions. Values are written here, and shown nowhere. */
export default function Secrets() {
  const secrets = useLoaded(() => api.call('listSecrets'), 'secrets', ['secret.'])
  return (
    <>
      <h1>Secrets</h1>
      <p class="lead">
        Code holds a placeholder in the place of a value; the gateway puts the value in, for the approved
        hosts alone. A value that was stored is shown to nobody.
      </p>
      <FoldedForm title="Store a secret" submit="Store" send={store} done="Stored." after={secrets.reload}>
        <Field name="name" label="Name" hint="As code asks for it: STRIPE_KEY." isRequired />
        <Field name="value" label="Value" isSecret isRequired />
        <Field
          name="hosts"
          label="Hosts that it may go to"
          hint="Apart by spaces. Left empty: the ones it has, or for a new one those of the first approval."
          placeholder="api.stripe.com"
        />
      </FoldedForm>
      <Section title="Stored">
        <Show of={secrets}>
          {({ secrets: rows }) => (
            <Table
              label="Secrets"
              rows={rows}
              keyOf={({ name }) => name}
              empty="None yet. An agent that asks for a secret leads you here as well."
              columns={[
                { title: 'Name', isName: true, cell: ({ name }) => <code>{name}</code> },
                {
                  title: 'Hosts',
                  cell: ({ hosts }) => <Names of={hosts} none="bound at the first approval" />,
                },
                {
                  title: 'Risk',
                  cell: ({ risk }) =>
                    risk === 'high' ? <span class="tone-caution">high: takes a passkey</span> : risk,
                },
                { title: 'Version', isNumber: true, cell: ({ version }) => version },
                { title: 'Changed', cell: ({ updated_at }) => <Time at={updated_at} /> },
                {
                  title: '',
                  cell: ({ name, risk }) => (
                    <div class="acts">
                      <RiskButton name={name} risk={risk} after={secrets.reload} />
                      <FoldedForm
                        title="Rename"
                        submit="Rename"
                        done="Renamed."
                        after={secrets.reload}
                        send={({ to = '' }) => api.call('renameSecret', { params: { name }, body: { to } })}
                      >
                        <Field name="to" label={`New name of ${name}`} isRequired />
                      </FoldedForm>
                      <ConfirmButton
                        label="Remove"
                        title={`Remove ${name}?`}
                        act={() => api.call('removeSecret', { params: { name } })}
                        done={`${name} is removed.`}
                        after={secrets.reload}
                      >
                        <p>
                          Runs that need it wait for a new value. A new value under its name keeps its hosts.
                        </p>
                      </ConfirmButton>
                    </div>
                  ),
                },
              ]}
            />
          )}
        </Show>
      </Section>
    </>
  )
}
