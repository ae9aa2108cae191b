import { useState } from 'preact/hooks'
import type { AppView, OwnersRunView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm, microUsdIn, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count, dollars } from '../admin/texts.ts'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Copy } from '../ui/copy.tsx'

const termsOf = ({ cidrs, tools, models, usd }: Fields) => ({
  cidrs: wordsIn(cidrs),
  tools: wordsIn(tools),
  models: wordsIn(models).length === 0 ? null : wordsIn(models),
  limits: { micro_usd_per_day: microUsdIn(usd, 'Dollars a day') },
})

function TermFields({ of }: { readonly of?: AppView }) {
  const usd = of?.limits.micro_usd_per_day
  return (
    <>
      <Field name="cidrs" label="Networks" value={of?.cidrs.join(' ') ?? ''} hint="None: from anywhere." />
      <Field
        name="tools"
        label="Tools"
        value={of?.tools.join(' ') ?? ''}
        hint="Of Claude Code. None: none."
      />
      <Field name="models" label="Models" value={of?.models?.join(' ') ?? ''} hint="None: any." />
      <Field name="usd" label="Dollars a day" value={usd == null ? '' : String(usd / 1e6)} />
    </>
  )
}

/** Reads what a run said when it is asked for: it is opened, not listed. */
function Said({ id }: { readonly id: string }) {
  const [said, setSaid] = useState<string>()
  const { isBusy, refusal, run } = useAct()
  const read = async (): Promise<void> => {
    const { text } = await api.call('readRun', { params: { id } })
    setSaid(text ?? 'It is not kept any more.')
  }
  if (said !== undefined)
    return (
      <pre>
        <bdi>{said}</bdi>
      </pre>
    )
  return (
    <>
      <button type="button" class="small" disabled={isBusy} onClick={() => void run(read, 'Read.')}>
        Read
      </button>
      <span class="refusal" role="alert">
        {refusal}
      </span>
    </>
  )
}

function Runs() {
  const runs = useLoaded(() => api.call('listRuns', { query: { limit: '50' } }), 'runs', ['run.'])
  return (
    <Section title="Their runs">
      <Show of={runs}>
        {({ runs: rows }) => (
          <Table
            label="Runs"
            rows={rows}
            keyOf={({ id }) => id}
            empty="None yet."
            columns={[
              { title: 'App', isName: true, cell: ({ app }) => <bdi>{app}</bdi> },
              { title: 'State', cell: ({ state, code }) => code ?? state },
              { title: 'Model', cell: ({ model }) => <bdi>{model}</bdi> },
              { title: 'Tokens', isNumber: true, cell: (row) => count(tokensOf(row)) },
              {
                title: 'Cost',
                isNumber: true,
                cell: ({ micro_usd }) => (micro_usd === null ? '' : dollars(micro_usd)),
              },
              { title: 'Asked', cell: ({ created_at }) => <Time at={created_at} /> },
              {
                title: '',
                cell: ({ id, finished_at }) =>
                  finished_at === null ? (
                    <ConfirmButton
                      label="End"
                      title="End this run?"
                      act={() => api.call('cancelRun', { params: { id } })}
                      done="It is ended."
                      after={runs.reload}
                    >
                      <p>Its container goes at once; what it has cost stays counted.</p>
                    </ConfirmButton>
                  ) : (
                    <Said id={id} />
                  ),
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}

const tokensOf = (row: OwnersRunView): number =>
  row.input_tokens + row.cache_read_tokens + row.cache_write_tokens + row.output_tokens

/** Programs that have prompts run by Claude Code. A token is shown once, to whoever made it. */
export default function Apps() {
  const apps = useLoaded(() => api.call('listApps'), 'apps', ['app.'])
  const [given, setGiven] = useState<{ readonly name: string; readonly token: string }>()
  const add = async (fields: Fields): Promise<void> => {
    const { app, token } = await api.call('addApp', { body: { name: fields.name ?? '', ...termsOf(fields) } })
    setGiven({ name: app.name, token })
  }
  const rotate = async (name: string): Promise<void> => {
    const { token } = await api.call('rotateAppToken', { params: { name } })
    setGiven({ name, token })
  }
  return (
    <>
      <h1>Apps</h1>
      <p class="lead">
        A program with a token that has prompts run by Claude Code, and never has its access.
      </p>
      {given && (
        <div class="note good" role="status">
          <p>
            The token of <strong>{given.name}</strong>. It is shown this once: put it where the app reads it.
          </p>
          <Copy text={given.token} />
          <button type="button" class="quiet" onClick={() => setGiven(undefined)}>
            I have it
          </button>
        </div>
      )}
      <FoldedForm title="Add an app" submit="Add" done="Added." send={add} after={apps.reload}>
        <Field name="name" label="Name" isRequired />
        <TermFields />
      </FoldedForm>
      <Section title="All of them">
        <Show of={apps}>
          {({ apps: rows }) => (
            <Table
              label="Apps"
              rows={rows}
              keyOf={({ id }) => id}
              empty="None."
              columns={[
                { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
                { title: 'Models', cell: ({ models }) => (models === null ? 'any' : <Names of={models} />) },
                { title: 'Tools', cell: ({ tools }) => (tools.length === 0 ? 'none' : <Names of={tools} />) },
                { title: 'Made', cell: ({ created_at }) => <Time at={created_at} /> },
                {
                  title: '',
                  cell: (app) =>
                    app.revoked_at !== null ? (
                      <span class="soft">revoked</span>
                    ) : (
                      <div class="acts">
                        <FoldedForm
                          title="Change"
                          submit="Change"
                          done="Changed."
                          after={apps.reload}
                          send={(fields) =>
                            api.call('changeApp', { params: { name: app.name }, body: termsOf(fields) })
                          }
                        >
                          <TermFields of={app} />
                        </FoldedForm>
                        <ConfirmButton
                          label="New token"
                          title={`A new token for ${app.name}?`}
                          act={() => rotate(app.name)}
                          done="It has a new token."
                          after={apps.reload}
                        >
                          <p>The old one is refused at once.</p>
                        </ConfirmButton>
                        <ConfirmButton
                          label="Revoke"
                          title={`Revoke ${app.name}?`}
                          act={() => api.call('revokeApp', { params: { name: app.name } })}
                          done={`${app.name} is revoked.`}
                          after={apps.reload}
                        >
                          <p>What it has waiting or running ends.</p>
                        </ConfirmButton>
                      </div>
                    ),
                },
              ]}
            />
          )}
        </Show>
      </Section>
      <Runs />
    </>
  )
}
