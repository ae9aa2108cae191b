import { useState } from 'preact/hooks'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm, numberIn, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { isOfInstallation } from '../state/session-signals.ts'
import { Copy } from '../ui/copy.tsx'

const chatOf = ({ token = '', chat_id = '', approvers }: Fields) =>
  token === '' ? null : { token, chat_id, approver_ids: wordsIn(approvers) }

function ChatFields() {
  return (
    <>
      <Field
        name="token"
        label="Token of its Telegram bot"
        isSecret
        hint="None: it is asked in a terminal and here alone."
      />
      <Field name="chat_id" label="Chat" />
      <Field
        name="approvers"
        label="Who may answer there"
        hint="Telegram user ids. None: whoever is in a private chat."
      />
    </>
  )
}

/** The route ends keys at once, and deletes rows in portions. */
async function remove(name: string): Promise<void> {
  while (!(await api.call('removeTenant', { params: { name } })).finished);
}

function Members() {
  const members = useLoaded(() => api.call('listMembers'), 'members', ['tenant.', 'member.'])
  return (
    <Section title="Who may decide for this tenant">
      <Show of={members}>
        {({ members: rows }) => (
          <Table
            label="Members"
            rows={rows}
            keyOf={({ channel, person }) => `${channel}:${person}`}
            empty="The owner of the daemon's machine, and nobody else."
            columns={[
              { title: 'Person', isName: true, cell: ({ person }) => person },
              { title: 'By', cell: ({ channel }) => channel },
              { title: 'Role', cell: ({ role }) => role },
              { title: 'Since', cell: ({ since }) => <Time at={since} /> },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}

/** Who signed up, and what tenants may have; a link is shown once, for the owner to hand over. */
function Accounts() {
  const accounts = useLoaded(() => api.call('listAccounts'), 'accounts', ['tenant.', 'account.'])
  const quotas = useLoaded(() => api.call('readQuotas'), 'quotas', ['quota.', 'tenant.'])
  const [url, setUrl] = useState<string>()
  const { refusal, run } = useAct()
  const amount = (text: string | undefined, label: string) => {
    const number = numberIn(text, label)
    return number === null ? undefined : number
  }
  return (
    <>
      <Section
        title="Accounts"
        aside={
          <FoldedForm
            title="Invite somebody"
            submit="Invite"
            done="There is a link."
            send={async ({ email = '' }) =>
              setUrl((await api.call('inviteAccount', { body: { email } })).url)
            }
            after={accounts.reload}
          >
            <Field
              name="email"
              label="Email address"
              isRequired
              hint="No mail is sent: hand the link over."
            />
          </FoldedForm>
        }
      >
        <p class="refusal" role="alert">
          {refusal}
        </p>
        {url !== undefined && (
          <div class="note good">
            <p>It signs its holder in, once.</p>
            <Copy text={url} />
          </div>
        )}
        <Show of={accounts}>
          {({ mode, accounts: rows }) => (
            <>
              <p class="soft">Sign-up: {mode}.</p>
              <Table
                label="Accounts"
                rows={rows}
                keyOf={({ id }) => id}
                empty="None."
                columns={[
                  { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
                  { title: 'Email', cell: ({ email }) => email ?? <span class="soft">none</span> },
                  { title: 'Tenant', cell: ({ tenant }) => <code>{tenant}</code> },
                  { title: 'Since', cell: ({ created_at }) => <Time at={created_at} /> },
                  {
                    title: '',
                    cell: ({ id }) => (
                      <button
                        type="button"
                        class="small"
                        onClick={() =>
                          void run(
                            async () => setUrl((await api.call('linkAccount', { params: { who: id } })).url),
                            'There is a link.',
                          )
                        }
                      >
                        Link
                      </button>
                    ),
                  },
                ]}
              />
            </>
          )}
        </Show>
      </Section>
      <Section title="What tenants may have">
        <FoldedForm
          title="Change it"
          submit="Save"
          done="Saved."
          after={quotas.reload}
          send={({ name = '', tenants, machines, memory }) =>
            api.call('setQuota', {
              params: { name },
              body: {
                tenants: amount(tenants, 'Accounts'),
                machines: amount(machines, 'Machines'),
                memory_mib: amount(memory, 'Memory'),
              },
            })
          }
        >
          <Field name="name" label="Tenant" value="default" hint="default: all of them." isRequired />
          <Field name="tenants" label="Accounts that may sign up" type="number" />
          <Field name="machines" label="Machines" type="number" />
          <Field name="memory" label="Memory in MiB" type="number" />
        </FoldedForm>
        <Show of={quotas}>
          {({ tenants, rows }) => (
            <>
              <p class="soft">At most {tenants} may sign up.</p>
              <Table
                label="What tenants may have"
                rows={rows}
                keyOf={({ name }) => name}
                empty="None."
                columns={[
                  { title: 'Tenant', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
                  { title: 'Machines', isNumber: true, cell: ({ machines }) => machines },
                  { title: 'Memory MiB', isNumber: true, cell: ({ memory_mib }) => memory_mib },
                ]}
              />
            </>
          )}
        </Show>
      </Section>
    </>
  )
}

/** Each with a vault, agents, approvals, an audit and keys of its own. */
function AllTenants() {
  const tenants = useLoaded(() => api.call('listTenants'), 'tenants', ['tenant.'])
  return (
    <>
      <FoldedForm
        title="Make a tenant"
        submit="Make"
        done="Made."
        send={(fields) => api.call('addTenant', { body: { name: fields.name ?? '', chat: chatOf(fields) } })}
        after={tenants.reload}
      >
        <Field name="name" label="Name" isRequired />
        <ChatFields />
      </FoldedForm>
      <Section title="All of them">
        <Show of={tenants}>
          {({ tenants: rows }) => (
            <Table
              label="Tenants"
              rows={rows}
              keyOf={({ id }) => id}
              empty="None."
              columns={[
                { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
                { title: 'Chat', cell: ({ chat_id }) => chat_id ?? <span class="soft">none</span> },
                { title: 'Agents', isNumber: true, cell: ({ agents }) => agents },
                { title: 'Made', cell: ({ created_at }) => <Time at={created_at} /> },
                {
                  title: 'State',
                  cell: ({ problem }) =>
                    problem === null ? 'good' : <span class="tone-bad">{problem}</span>,
                },
                {
                  title: '',
                  cell: ({ name }) =>
                    name !== 'default' && (
                      <div class="acts">
                        <FoldedForm
                          title="Chat"
                          submit="Change"
                          done="Changed."
                          after={tenants.reload}
                          send={(fields) =>
                            api.call('setTenantChat', { params: { name }, body: { chat: chatOf(fields) } })
                          }
                        >
                          <ChatFields />
                        </FoldedForm>
                        <ConfirmButton
                          label="Remove"
                          title={`Remove ${name}, with all that it has?`}
                          act={() => remove(name)}
                          done={`${name} is removed.`}
                          after={tenants.reload}
                        >
                          <p>
                            Its keys are destroyed first: nothing of it can be read again, in backups neither.
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
      <Accounts />
    </>
  )
}

/** The installation's own session sees all; whoever is of another tenant sees who decides for theirs. */
export default function Tenants() {
  return (
    <>
      <h1>Tenants</h1>
      {isOfInstallation() ? (
        <AllTenants />
      ) : (
        <p class="lead">
          Whoever runs the daemon makes and removes them. Nobody of another one sees what is in yours.
        </p>
      )}
      <Members />
    </>
  )
}
