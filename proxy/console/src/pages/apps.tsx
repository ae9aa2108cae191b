import { useState } from 'preact/hooks'
import type { AppView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { LIMITS, limitText, TermFields, termsIn } from './app-terms.tsx'
import { type GivenToken, TokenNote } from './app-token.tsx'

export function AppState({ app }: { readonly app: AppView }) {
  if (app.revoked_at === null) return <>active</>
  return (
    <span class="tone-bad">
      revoked <Time at={app.revoked_at} />
    </span>
  )
}

export const limitsSaid = ({ limits }: AppView): string[] =>
  LIMITS.flatMap((limit) => {
    const value = limits[limit.name]
    return value === null ? [] : [`${limit.label}: ${limitText(limit, value)}`]
  })

/** What is done to one app that is not revoked. */
export function AppActs({
  name,
  give,
  after,
}: {
  readonly name: string
  readonly give: (given: GivenToken) => void
  readonly after: () => void
}) {
  const rotate = async (): Promise<void> => {
    const { token, url } = await api.call('rotateAppToken', { params: { name } })
    give({ name, token, url })
  }
  return (
    <div class="acts">
      <ConfirmButton
        label="New token"
        title={`Make a new token for ${name}?`}
        act={rotate}
        done="There is a new token."
        after={after}
      >
        <p>The old one is refused at once. Its files, sessions and runs stay its own.</p>
      </ConfirmButton>
      <ConfirmButton
        label="Revoke"
        title={`Revoke ${name}?`}
        act={() => api.call('revokeApp', { params: { name } })}
        done={`${name} is revoked.`}
        after={after}
      >
        <p>Its token is refused at once, and what it has waiting or running ends.</p>
      </ConfirmButton>
    </div>
  )
}

/** Programs that have prompts run by Claude Code. A token is shown once, to whoever made it. */
export default function Apps() {
  const apps = useLoaded(() => api.call('listApps'), 'apps', ['app.'])
  const [given, setGiven] = useState<GivenToken>()
  const add = async (fields: Fields): Promise<void> => {
    const { name = '' } = fields
    const { token, url } = await api.call('addApp', { body: { name, ...termsIn(fields) } })
    setGiven({ name, token, url })
  }
  return (
    <>
      <h1>Apps</h1>
      <p class="lead">
        A program whose prompts Claude Code runs here, each in a container of its own. It has a token; the key
        of the model stays here.
      </p>
      {apps.data?.url === null && (
        <p class="note">
          Runs are off: apps can be made, and nobody can call. Set <code>CLAWDFORGE_PORT</code> and start the
          daemon anew.
        </p>
      )}
      {given && <TokenNote of={given} drop={() => setGiven(undefined)} />}
      <FoldedForm title="Add an app" submit="Add" send={add} done="Added." after={apps.reload}>
        <Field name="name" label="Name" isRequired placeholder="cauldron" maxLength={64} />
        <TermFields />
      </FoldedForm>
      <Section
        title="All of them"
        aside={apps.data?.url ? <span class="soft">They call {apps.data.url}</span> : undefined}
      >
        <Show of={apps}>
          {({ apps: rows }) => (
            <Table
              label="Apps"
              rows={rows}
              keyOf={({ id }) => id}
              empty="None yet. Add one above, and give it the token."
              columns={[
                {
                  title: 'Name',
                  isName: true,
                  cell: ({ name }) => (
                    <Link to={`/apps/${encodeURIComponent(name)}`}>
                      <bdi>{name}</bdi>
                    </Link>
                  ),
                },
                { title: 'Scopes', cell: ({ scopes }) => <Names of={scopes} /> },
                { title: 'Models', cell: ({ models }) => <Names of={models} none="any" /> },
                { title: 'Tools', cell: ({ tools }) => <Names of={tools} none="none" /> },
                { title: 'Calls from', cell: ({ cidrs }) => <Names of={cidrs} none="as the port says" /> },
                { title: 'Limits', cell: (app) => <Names of={limitsSaid(app)} none="none" /> },
                { title: 'State', cell: (app) => <AppState app={app} /> },
                {
                  title: '',
                  cell: ({ name, revoked_at }) =>
                    revoked_at === null && <AppActs name={name} give={setGiven} after={apps.reload} />,
                },
              ]}
            />
          )}
        </Show>
      </Section>
    </>
  )
}
