import { useState } from 'preact/hooks'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Copy } from '../ui/copy.tsx'

/** Browsers that are signed in, and a link for one more. */
export function Sessions() {
  const sessions = useLoaded(() => api.call('listSessions'), 'sessions', ['session.'])
  const [url, setUrl] = useState<string>()
  const { isBusy, refusal, run } = useAct()
  return (
    <Section
      title="Signed in"
      aside={
        <button
          type="button"
          disabled={isBusy}
          onClick={() =>
            void run(
              async () => setUrl((await api.call('makeConsoleLink', { body: {} })).url),
              'There is a link.',
            )
          }
        >
          Link for another browser
        </button>
      }
    >
      <p class="refusal" role="alert">
        {refusal}
      </p>
      {url && (
        <div class="note good">
          <p>It signs you in there, once, within two minutes.</p>
          <Copy text={url} />
        </div>
      )}
      <Show of={sessions}>
        {({ sessions: rows }) => (
          <Table
            label="Sessions"
            rows={rows}
            keyOf={({ id }) => id}
            empty="Nobody."
            columns={[
              { title: 'Who', isName: true, cell: ({ who }) => <bdi>{who}</bdi> },
              { title: 'By', cell: ({ method }) => method },
              { title: 'Since', cell: ({ signed_in_at }) => <Time at={signed_in_at} /> },
              { title: 'Last seen', cell: ({ seen_at }) => <Time at={seen_at} /> },
              { title: 'Good for', cell: ({ expires_at }) => <Time at={expires_at} /> },
              {
                title: '',
                cell: ({ id, who }) => (
                  <ConfirmButton
                    label="Sign out"
                    title={`Sign ${who} out there?`}
                    act={() => api.call('revokeSession', { params: { id } })}
                    done="Signed out."
                    after={sessions.reload}
                  >
                    <p>That browser is told nothing any more, from this moment on.</p>
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
