import { useState } from 'preact/hooks'
import { ConfirmButton } from '../admin/act.tsx'
import { Field, type Fields, FoldedForm, microUsdIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { dollars } from '../admin/texts.ts'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const set = ({
  provider = '',
  model = '',
  input,
  output,
  cache_read,
  cache_write,
}: Fields): Promise<unknown> =>
  api.call('setPrice', {
    body: {
      provider,
      model,
      input: microUsdIn(input, 'Input') ?? 0,
      output: microUsdIn(output, 'Output') ?? 0,
      cache_read: microUsdIn(cache_read, 'Read from a cache'),
      cache_write: microUsdIn(cache_write, 'Written to a cache'),
    },
  })

const orDash = (micro: number | null): string => (micro === null ? '–' : dollars(micro))
const SHOWN = 200

/** What a million tokens cost; the owner's prices come before the built-in ones. */
export default function Prices() {
  const prices = useLoaded(() => api.call('listPrices'), 'prices', ['price.'])
  const [wanted, setWanted] = useState('')
  return (
    <>
      <h1>Prices</h1>
      <p class="lead">US dollars for a million tokens. A limit of money refuses what has no price here.</p>
      <FoldedForm title="Set a price" submit="Set" done="Set." send={set} after={prices.reload}>
        <Field name="provider" label="Provider" isRequired />
        <Field
          name="model"
          label="Model"
          hint="A name, or the beginning of names that ends in *."
          isRequired
        />
        <Field name="input" label="Input" type="number" isRequired />
        <Field name="output" label="Output" type="number" isRequired />
        <Field name="cache_read" label="Read from a cache" type="number" />
        <Field name="cache_write" label="Written to a cache" type="number" />
      </FoldedForm>
      <Section
        title="The table"
        aside={
          <input
            type="search"
            aria-label="Find a provider or model"
            placeholder="Find …"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        }
      >
        <Show of={prices}>
          {({ prices: all }) => {
            const rows = all.filter(({ provider, model }) => `${provider} ${model}`.includes(wanted))
            return (
              <>
                <Table
                  label="Prices"
                  rows={rows.slice(0, SHOWN)}
                  keyOf={({ provider, model }) => `${provider} ${model}`}
                  empty="Nothing fits."
                  columns={[
                    { title: 'Model', isName: true, cell: ({ provider, model }) => `${provider} · ${model}` },
                    { title: 'Input', isNumber: true, cell: ({ input }) => dollars(input) },
                    { title: 'Output', isNumber: true, cell: ({ output }) => dollars(output) },
                    { title: 'Cache read', isNumber: true, cell: ({ cache_read }) => orDash(cache_read) },
                    { title: 'Cache write', isNumber: true, cell: ({ cache_write }) => orDash(cache_write) },
                    {
                      title: '',
                      cell: ({ provider, model, own }) =>
                        own && (
                          <ConfirmButton
                            label="Remove"
                            title={`Take your price of ${model} away?`}
                            act={() => api.call('removePrice', { params: { provider, model } })}
                            done="Removed."
                            after={prices.reload}
                          >
                            <p>A built-in price counts again, where there is one.</p>
                          </ConfirmButton>
                        ),
                    },
                  ]}
                />
                {rows.length > SHOWN && <p class="soft">{rows.length - SHOWN} more: find them by name.</p>}
              </>
            )
          }}
        </Show>
      </Section>
    </>
  )
}
