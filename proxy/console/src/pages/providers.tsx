import { ConfirmButton } from '../admin/act.tsx'
import { Check, Choice, Field, type Fields, FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { ProviderKeys } from './provider-keys.tsx'

const authOf = (how: string | undefined, header: string | undefined) =>
  how === 'header'
    ? { kind: 'header' as const, name: header ?? '' }
    : { kind: how === 'none' ? ('none' as const) : ('bearer' as const) }

const add = ({ name = '', url = '', auth, header, errors, private: isPrivate }: Fields): Promise<unknown> =>
  api.call('addProvider', {
    body: {
      name,
      url,
      auth: authOf(auth, header),
      errors: errors === 'anthropic' || errors === 'google' ? errors : 'openai',
      private: isPrivate === '1',
    },
  })

/** LLM vendors: where they are, and the owner's keys there. */
export default function Providers() {
  const providers = useLoaded(() => api.call('listProviders'), 'providers', ['provider.'])
  return (
    <>
      <h1>Providers</h1>
      <p class="lead">
        Agents call them through the daemon, which puts your key in. What that may cost stands in{' '}
        <Link to="/grants">Grants</Link>, what it does cost in <Link to="/usage">Usage</Link>, the prices in{' '}
        <Link to="/prices">Prices</Link>.
      </p>
      <ProviderKeys />
      <Section
        title="Where they are"
        aside={
          <FoldedForm
            title="Add a provider of your own"
            submit="Add"
            done="Added."
            send={add}
            after={providers.reload}
          >
            <Field name="name" label="Name" isRequired />
            <Field
              name="url"
              label="Address"
              isRequired
              type="url"
              placeholder="https://llm.example.com/v1"
            />
            <Choice
              name="auth"
              label="How it takes its key"
              options={[
                ['bearer', 'Authorization: Bearer'],
                ['header', 'a header of its own'],
                ['none', 'it takes none'],
              ]}
            />
            <Field name="header" label="Name of that header" placeholder="x-api-key" />
            <Choice
              name="errors"
              label="Errors in the form of"
              options={[
                ['openai', 'OpenAI'],
                ['anthropic', 'Anthropic'],
                ['google', 'Google'],
              ]}
            />
            <Check name="private" label="It is at a private address of mine" />
          </FoldedForm>
        }
      >
        <Show of={providers}>
          {({ providers: rows }) => (
            <Table
              label="Providers"
              rows={rows}
              keyOf={({ name }) => name}
              empty="None."
              columns={[
                { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
                { title: 'Address', cell: ({ url }) => <span class="url">{url}</span> },
                { title: 'Keys', isNumber: true, cell: ({ keys }) => keys },
                { title: 'Missing', cell: ({ missing }) => <Names of={missing} /> },
                {
                  title: '',
                  cell: ({ name, own, missing }) => (
                    <div class="acts">
                      <FoldedForm
                        title="Set"
                        submit="Set"
                        done="Set."
                        after={providers.reload}
                        send={({ param = '', value = '', private: isPrivate }) =>
                          api.call('setProviderParam', {
                            params: { name, param },
                            body: { value, ...(isPrivate === '1' ? { private: true } : {}) },
                          })
                        }
                      >
                        <Field
                          name="param"
                          label={`What to set for ${name}`}
                          value={missing[0] ?? 'url'}
                          list={[...missing, 'url']}
                          isRequired
                        />
                        <Field name="value" label="To" isRequired />
                        <Check name="private" label="It is at a private address of mine" />
                      </FoldedForm>
                      {own && (
                        <ConfirmButton
                          label="Remove"
                          title={`Remove ${name}?`}
                          act={() => api.call('removeProvider', { params: { name } })}
                          done={`${name} is removed.`}
                          after={providers.reload}
                        >
                          <p>Its keys and what was granted for it go with it.</p>
                        </ConfirmButton>
                      )}
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
