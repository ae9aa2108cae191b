import { ConfirmButton } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm, numberIn, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const add = ({ provider = '', value = '', label, tags, models, weight }: Fields): Promise<unknown> => {
  const share = numberIn(weight, 'Weight')
  return api.call('addProviderKey', {
    body: {
      provider,
      value,
      ...(label ? { label } : {}),
      ...(tags?.trim() ? { tags: wordsIn(tags) } : {}),
      ...(models?.trim() ? { models: wordsIn(models) } : {}),
      ...(share === null ? {} : { weight: share }),
    },
  })
}

/** The owner's keys at the vendors: values are written, never shown. */
export function ProviderKeys() {
  const keys = useLoaded(() => api.call('listProviderKeys'), 'provider-keys', ['provider.'])
  return (
    <Section
      title="Keys"
      aside={
        <FoldedForm title="Store a key" submit="Store" done="Stored." send={add} after={keys.reload}>
          <Field name="provider" label="Provider" isRequired placeholder="anthropic" />
          <Field name="value" label="Key" isSecret isRequired />
          <Field name="label" label="Label" hint="How it is called in lists and in the audit." />
          <Field name="tags" label="Tags" hint="Only agents with one of them may use it. None: all." />
          <Field name="models" label="Models" hint="Names, or beginnings that end in *. None: all." />
          <Field name="weight" label="Weight" type="number" hint="Its share beside other keys, from 1." />
        </FoldedForm>
      }
    >
      <Show of={keys}>
        {({ keys: rows }) => (
          <Table
            label="Keys of providers"
            rows={rows}
            keyOf={({ id }) => id}
            empty="None yet."
            columns={[
              { title: 'Provider', isName: true, cell: ({ provider }) => <bdi>{provider}</bdi> },
              { title: 'Label', cell: ({ label }) => <bdi>{label}</bdi> },
              { title: 'Tags', cell: ({ tags }) => <Names of={tags} none="all agents" /> },
              { title: 'Models', cell: ({ models }) => <Names of={models} none="all" /> },
              { title: 'Weight', isNumber: true, cell: ({ weight }) => weight },
              {
                title: 'State',
                cell: ({ cooldown }) =>
                  cooldown === null ? (
                    'good'
                  ) : (
                    <span class="tone-caution">
                      in cooldown, over <Time at={cooldown.until} />
                      {cooldown.agents > 0 && ` for ${cooldown.agents} agents`}
                      {cooldown.parts > 0 && `, ${cooldown.parts} models or endpoints`}
                    </span>
                  ),
              },
              {
                title: '',
                cell: ({ id, provider, label }) => (
                  <ConfirmButton
                    label="Remove"
                    title={`Remove the key ${label} of ${provider}?`}
                    act={() => api.call('removeProviderKey', { params: { id } })}
                    done="Removed."
                    after={keys.reload}
                  >
                    <p>The daemon forgets it. At the vendor it stays good until you revoke it there.</p>
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
