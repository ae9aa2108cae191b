import { useState } from 'preact/hooks'
import type { RegistryView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Field, FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

type Presented = Awaited<ReturnType<typeof present>>
const present = (url: string) => api.call('presentRegistry', { body: { url } })

/** A registry as it presents itself: it is added by the key that the person has looked at, and by no other. */
function ConfirmKey({
  of,
  close,
  after,
}: {
  readonly of: Presented
  readonly close: () => void
  readonly after: () => void
}) {
  const { isBusy, refusal, run } = useAct()
  const add = async (): Promise<void> => {
    const isAdded = await run(
      () => api.call('addRegistry', { body: { url: of.url, key: of.key } }),
      `${of.name} is added.`,
    )
    if (!isAdded) return
    close()
    after()
  }
  return (
    <section class="panel" aria-label="Is this its key?">
      <h2>Is this the key of that registry?</h2>
      <p>
        Compare it with what its operator publishes elsewhere. Whoever holds this key says which code the
        registry has; nobody but you approves any.
      </p>
      <dl class="facts wide">
        <div>
          <dt>Key</dt>
          <dd class="mono hash">
            <bdi>{of.key}</bdi>
          </dd>
        </div>
        <div>
          <dt>Calls itself</dt>
          <dd>
            <bdi>{of.name}</bdi>
          </dd>
        </div>
        <div>
          <dt>Address</dt>
          <dd class="mono hash">
            <bdi>{of.url}</bdi>
          </dd>
        </div>
        <div>
          <dt>Index</dt>
          <dd>
            number {of.sequence}, {count(of.skills)} skills, <Time at={of.expires_at} />
          </dd>
        </div>
      </dl>
      <p class="refusal" role="alert">
        {refusal}
      </p>
      <div class="answers">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class="primary" disabled={isBusy} onClick={() => void add()}>
          It is: add the registry
        </button>
      </div>
    </section>
  )
}

/** Looks for a newer index; what is wrong with it is told beside the button. */
function Refresh({ name, after }: { readonly name: string; readonly after: () => void }) {
  const { isBusy, refusal, run } = useAct()
  return (
    <>
      <button
        type="button"
        class="small"
        disabled={isBusy}
        onClick={() =>
          void run(() => api.call('refreshRegistry', { params: { name } }), 'Looked.').then(after)
        }
      >
        Refresh
      </button>
      <span class="refusal" role="alert">
        {refusal}
      </span>
    </>
  )
}

function Rows({ rows, after }: { readonly rows: readonly RegistryView[]; readonly after: () => void }) {
  return (
    <Table
      label="Registries"
      rows={rows}
      keyOf={({ name }) => name}
      empty="None. Code is run all the same: each request brings its own, and is asked about."
      columns={[
        { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
        { title: 'Key', cell: ({ key }) => <code class="hash">{key}</code> },
        { title: 'Address', cell: ({ url }) => <bdi class="url">{url}</bdi> },
        { title: 'Skills', isNumber: true, cell: ({ skills }) => count(skills) },
        { title: 'Read', cell: ({ fetched_at }) => <Time at={fetched_at} /> },
        {
          title: 'State',
          cell: ({ problem, expires_at }) =>
            problem === null ? (
              <Time at={expires_at} />
            ) : (
              <span class="tone-bad">
                nothing of it is taken: the index <bdi>{problem}</bdi>
              </span>
            ),
        },
        {
          title: '',
          cell: ({ name }) => (
            <div class="acts">
              <Refresh name={name} after={after} />
              <ConfirmButton
                label="Remove"
                title={`Remove the registry ${name}?`}
                act={() => api.call('removeRegistry', { params: { name } })}
                done={`${name} is removed.`}
                after={after}
              >
                <p>Nothing of it is found any more. What was approved of it stays approved.</p>
              </ConfirmButton>
            </div>
          ),
        },
      ]}
    />
  )
}

/** Who vouches for code. They approve nothing. */
export function Registries() {
  const registries = useLoaded(() => api.call('listRegistries'), 'registries', ['registry.'])
  const [presented, setPresented] = useState<Presented>()
  return (
    <Section
      title="Registries"
      aside={
        <FoldedForm
          title="Add a registry"
          submit="Show its key"
          done="It has a key: look at it."
          send={async ({ url = '' }) => setPresented(await present(url))}
        >
          <Field
            name="url"
            label="Address of its index"
            type="url"
            placeholder="https://skills.example.com/index.json"
            isRequired
          />
        </FoldedForm>
      }
    >
      {presented && (
        <ConfirmKey of={presented} close={() => setPresented(undefined)} after={registries.reload} />
      )}
      <Show of={registries}>{({ registries: rows }) => <Rows rows={rows} after={registries.reload} />}</Show>
    </Section>
  )
}
