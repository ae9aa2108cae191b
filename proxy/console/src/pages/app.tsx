import { useState } from 'preact/hooks'
import { ConfirmButton } from '../admin/act.tsx'
import { FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { bytes, count } from '../admin/texts.ts'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { TermFields, termsIn } from './app-terms.tsx'
import { type GivenToken, TokenNote } from './app-token.tsx'
import { AppActs, AppState, limitsSaid } from './apps.tsx'
import type { PageProps } from './table.ts'

function Files({ name }: { readonly name: string }) {
  const files = useLoaded(() => api.call('listAppFiles', { params: { name } }), name, ['file.', 'app.'])
  return (
    <Section title="Files">
      <Show of={files}>
        {({ files: rows }) => (
          <Table
            label="Files of the app"
            rows={rows}
            keyOf={({ file_token }) => file_token}
            empty="None. An app uploads them for its runs, and each is gone when its time is over."
            columns={[
              { title: 'Name', isName: true, cell: (file) => <bdi>{file.name}</bdi> },
              { title: 'Token', cell: ({ file_token }) => <code>{file_token.slice(0, 11)}…</code> },
              { title: 'Size', isNumber: true, cell: (file) => bytes(file.bytes) },
              { title: 'Uploaded', cell: ({ created_at }) => <Time at={created_at} /> },
              { title: 'Kept', cell: ({ expires_at }) => <Time at={expires_at} /> },
              {
                title: '',
                cell: (file) => (
                  <ConfirmButton
                    label="Remove"
                    title="Remove the file?"
                    act={() => api.call('removeAppFile', { params: { name, file: file.file_token } })}
                    done="Removed."
                    after={files.reload}
                  >
                    <p>
                      <bdi>{file.name}</bdi>: runs that were to have it, and have not begun, fail.
                    </p>
                  </ConfirmButton>
                ),
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}

function Sessions({ name }: { readonly name: string }) {
  const sessions = useLoaded(() => api.call('listRunSessions', { params: { name } }), name, [
    'run_session.',
    'run.',
  ])
  return (
    <Section title="Sessions">
      <Show of={sessions}>
        {({ sessions: rows }) => (
          <Table
            label="Sessions of the app"
            rows={rows}
            keyOf={({ id }) => id}
            empty="None. A run that asks for one keeps its conversation, and later runs go on with it."
            columns={[
              { title: 'Session', isName: true, cell: ({ id }) => <code>{id}</code> },
              { title: 'Forked from', cell: ({ parent }) => (parent === null ? '–' : <code>{parent}</code>) },
              { title: 'Runs', isNumber: true, cell: ({ runs }) => count(runs) },
              { title: 'Size', isNumber: true, cell: (row) => bytes(row.bytes) },
              { title: 'Used', cell: ({ used_at }) => <Time at={used_at} /> },
              { title: 'Kept', cell: ({ expires_at }) => <Time at={expires_at} /> },
              {
                title: '',
                cell: ({ id }) => (
                  <ConfirmButton
                    label="Forget"
                    title="Forget the session?"
                    act={() => api.call('removeRunSession', { params: { name, session: id } })}
                    done="Forgotten."
                    after={sessions.reload}
                  >
                    <p>No run goes on with it any more. What was forked from it stays.</p>
                  </ConfirmButton>
                ),
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}

/** One app: what it may, and what it keeps here. */
export default function App({ params }: PageProps) {
  const name = params.name ?? ''
  const apps = useLoaded(() => api.call('listApps'), name, ['app.'])
  const [given, setGiven] = useState<GivenToken>()
  const all = apps.data?.apps.filter((one) => one.name === name)
  const app = all?.find(({ revoked_at }) => revoked_at === null) ?? all?.at(-1)
  return (
    <>
      <h1>
        App <bdi>{name}</bdi>
      </h1>
      {given && <TokenNote of={given} drop={() => setGiven(undefined)} />}
      <Show of={apps}>
        {() =>
          app === undefined ? (
            <p class="empty">No app has this name.</p>
          ) : (
            <>
              {app.notes.map((note) => (
                <p key={note} class="note">
                  <bdi>{note}</bdi>
                </p>
              ))}
              <dl class="pairs">
                <dt>State</dt>
                <dd>
                  <AppState app={app} />
                </dd>
                <dt>Scopes</dt>
                <dd>
                  <Names of={app.scopes} />
                </dd>
                <dt>Models</dt>
                <dd>
                  <Names of={app.models} none="any" />
                </dd>
                <dt>Tools</dt>
                <dd>
                  <Names of={app.tools} none="none" />
                </dd>
                <dt>Secrets</dt>
                <dd>{app.secrets === null ? 'any' : <Names of={app.secrets} none="none" />}</dd>
                <dt>Commands reach</dt>
                <dd>
                  {app.network === 'off' ? (
                    'no host'
                  ) : (
                    <>
                      <Names of={app.hosts} none="no host without a question" />; for any other they ask
                    </>
                  )}
                </dd>
                <dt>Calls from</dt>
                <dd>
                  <Names of={app.cidrs} none="wherever the port may be called from" />
                </dd>
                <dt>Provider</dt>
                <dd>{app.seat ? `${app.provider}, by the seat of your own subscription` : app.provider}</dd>
                <dt>Limits</dt>
                <dd>
                  <Names of={limitsSaid(app)} none="none" />
                </dd>
                <dt>Prompts</dt>
                <dd>
                  {app.keeps_prompts ? 'kept, sealed, as long as results' : 'not kept: their hash alone'}
                </dd>
                <dt>Made</dt>
                <dd>
                  <Time at={app.created_at} />
                </dd>
              </dl>
              <p class="after">
                <Link to={`/runs?app=${encodeURIComponent(name)}`}>Its runs</Link>
              </p>
              {app.revoked_at === null && (
                <div class="part">
                  <AppActs name={name} give={setGiven} after={apps.reload} />
                  <FoldedForm
                    title="Change what it may"
                    submit="Change"
                    done="Changed."
                    after={apps.reload}
                    send={(fields) => api.call('changeApp', { params: { name }, body: termsIn(fields) })}
                    key={JSON.stringify(app)}
                  >
                    <TermFields of={app} />
                  </FoldedForm>
                </div>
              )}
              <Files name={name} />
              <Sessions name={name} />
            </>
          )
        }
      </Show>
    </>
  )
}
