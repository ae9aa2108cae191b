import { useState } from 'preact/hooks'
import type { AccessKeyRow, AccountView } from '../../../src/contracts/console/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Check, Choice, Field, type Fields, FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { session } from '../api/client.ts'
import { sessionState } from '../state/session-signals.ts'
import { Copy } from '../ui/copy.tsx'
import { Link } from '../ui/link.tsx'
import { Sessions } from './sessions.tsx'

interface Part {
  readonly of: AccountView
  readonly after: () => void
}

const SCOPES = [
  ['account', 'See who it is of'],
  ['keys', 'Manage keys of providers'],
  ['machines', 'Use machines'],
] as const
type Scope = (typeof SCOPES)[number][0]

function Password({ of, after }: Part) {
  if (of.email === null)
    return <p class="soft">This account has no email address, and so no password. Add a passkey instead.</p>
  return (
    <FoldedForm
      title={of.has_password ? 'Change the password' : 'Set a password'}
      submit="Save"
      done="The password is set; you are signed out everywhere else."
      send={({ password = '' }) => session.call('setPassword', { body: { password } })}
      after={after}
    >
      <Field name="password" label="New password" isSecret isRequired hint="At least 8 characters." />
    </FoldedForm>
  )
}

function SignInKeys({ of, after }: Part) {
  const [isShared, setShared] = useState(false)
  const add = async ({ provider = '', value = '' }: Fields): Promise<void> => {
    setShared((await session.call('addSignInKey', { body: { provider, value } })).shared)
  }
  return (
    <Section
      title="Keys that sign you in"
      aside={
        <FoldedForm title="Add a key" submit="Add" done="The key is stored." send={add} after={after}>
          <Choice
            name="provider"
            label="Provider"
            options={of.providers.map((name) => [name, name] as const)}
          />
          <Field name="value" label="Key" isSecret isRequired />
        </FoldedForm>
      }
    >
      {isShared && (
        <p class="note bad" role="alert">
          Somebody else here signs in with this key. It signs in them alone: a key shows access to an account
          at the provider, not a person. Make one of your own there.
        </p>
      )}
      <Table
        label="Keys that sign you in"
        rows={of.sign_in_keys}
        keyOf={({ key_id }) => key_id}
        empty="None."
        columns={[
          { title: 'Provider', isName: true, cell: ({ provider }) => <bdi>{provider}</bdi> },
          { title: 'Ends in', cell: ({ last4 }) => <code>{last4}</code> },
          { title: 'Since', cell: ({ created_at }) => <Time at={created_at} /> },
          {
            title: '',
            cell: ({ key_id, provider }) => (
              <ConfirmButton
                label="Stop"
                title={`Sign in with this key of ${provider} no more?`}
                act={() => session.call('removeSignInKey', { params: { id: key_id } })}
                done="The key signs you in no more."
                after={after}
              >
                <p>It stays among your keys of providers, where it is removed.</p>
              </ConfirmButton>
            ),
          },
        ]}
      />
    </Section>
  )
}

function AccessKeys({ of, after }: Part) {
  const [made, setMade] = useState<string>()
  const make = async (fields: Fields): Promise<void> => {
    const scopes = SCOPES.map(([scope]) => scope).filter((scope): scope is Scope => fields[scope] === '1')
    setMade((await session.call('makeAccessKey', { body: { name: fields.name ?? '', scopes } })).key)
  }
  return (
    <Section
      title="Keys of your programs"
      aside={
        <FoldedForm title="Make a key" submit="Make" done="There is a key." send={make} after={after}>
          <Field name="name" label="What it is for" maxLength={64} isRequired />
          {SCOPES.map(([scope, says]) => (
            <Check key={scope} name={scope} label={says} isOn={scope === 'account'} />
          ))}
        </FoldedForm>
      }
    >
      {made !== undefined && (
        <div class="note good">
          <p>It is shown this once.</p>
          <Copy text={made} />
        </div>
      )}
      <Table<AccessKeyRow>
        label="Keys of your programs"
        rows={of.access_keys}
        keyOf={({ id }) => id}
        empty="None."
        columns={[
          { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
          { title: 'Ends in', cell: ({ last4 }) => <code>{last4}</code> },
          { title: 'May', cell: ({ scopes }) => <Names of={scopes} none="nothing" /> },
          {
            title: 'Used',
            cell: ({ last_used_at: at }) =>
              at === null ? <span class="soft">never</span> : <Time at={at} />,
          },
          {
            title: '',
            cell: ({ id, name }) => (
              <ConfirmButton
                label="Revoke"
                title={`Revoke ${name}?`}
                act={() => session.call('revokeAccessKey', { params: { id } })}
                done={`${name} is revoked.`}
                after={after}
              >
                <p>Programs that have it are refused from this moment on.</p>
              </ConfirmButton>
            ),
          },
        ]}
      />
    </Section>
  )
}

function Own() {
  const account = useLoaded(() => session.call('readAccount'), 'account', ['account.', 'provider.'])
  return (
    <Show of={account}>
      {(of) => {
        const part = { of, after: account.reload }
        return (
          <>
            <dl class="pairs">
              <dt>Name</dt>
              <dd>
                <bdi>{of.name}</bdi>
              </dd>
              <dt>Email address</dt>
              <dd>{of.email ?? <span class="soft">none</span>}</dd>
              <dt>Since</dt>
              <dd>
                <Time at={of.created_at} />
              </dd>
            </dl>
            <Section title="Password">
              <Password {...part} />
            </Section>
            <Section title="Passkeys">
              <p>
                <Link to="/passkeys">Passkeys</Link> sign you in without anything that can be guessed or
                stolen from a list.
              </p>
            </Section>
            <Section title="Your agents">
              <p>
                <Link to="/hosts">Hosted agents</Link> live here, each with a chat and a bot in Telegram if
                you give it one. They answer by a key of yours at the vendor of their model:{' '}
                <Link to="/providers">Providers</Link>, or <code>POST /api/user/api-keys</code> for programs.
              </p>
            </Section>
            <SignInKeys {...part} />
            <AccessKeys {...part} />
            <Sessions />
          </>
        )
      }}
    </Show>
  )
}

/** What signs a person in, and their programs. */
export default function Account() {
  const state = sessionState.value
  const isAccount = typeof state === 'object' && state.role === 'account'
  return (
    <>
      <h1>Account</h1>
      {isAccount ? (
        <Own />
      ) : (
        <p class="lead">You own this daemon or answer for it; who signed up has an account here.</p>
      )}
    </>
  )
}
