import type { LimitsView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Choice, Field, type Fields, FoldedForm, microUsdIn, numberIn, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count, dollars } from '../admin/texts.ts'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const DAY_MS = 86_400_000

const limitsIn = ({ rpm, tokens, usd }: Fields) => ({
  requests_per_minute: numberIn(rpm, 'Requests a minute'),
  tokens_per_day: numberIn(tokens, 'Tokens a day'),
  micro_usd_per_day: microUsdIn(usd, 'Money a day'),
})

const limitsText = ({
  requests_per_minute: rpm,
  tokens_per_day: tokens,
  micro_usd_per_day: usd,
}: LimitsView): string =>
  [
    rpm === null ? '' : `${count(rpm)} requests a minute`,
    tokens === null ? '' : `${count(tokens)} tokens a day`,
    usd === null ? '' : `${dollars(usd)} a day`,
  ]
    .filter((part) => part !== '')
    .join(', ') || 'none'

function LimitFields({ of }: { readonly of?: LimitsView }) {
  const text = (value: number | null | undefined): string => (value == null ? '' : String(value))
  return (
    <>
      <Field name="rpm" label="Requests a minute" type="number" value={text(of?.requests_per_minute)} />
      <Field name="tokens" label="Tokens a day" type="number" value={text(of?.tokens_per_day)} />
      <Field
        name="usd"
        label="US dollars a day"
        type="number"
        value={of?.micro_usd_per_day == null ? '' : String(of.micro_usd_per_day / 1_000_000)}
      />
    </>
  )
}

const add = ({ agent = '', provider = '', days = '1', models, ...limits }: Fields): Promise<unknown> =>
  api.call('addProviderGrant', {
    body: {
      agent,
      provider,
      for_ms: days === 'always' ? null : Number(days) * DAY_MS,
      models: models?.trim() ? wordsIn(models) : null,
      limits: limitsIn(limits),
    },
  })

/** Which agents may use which providers, and what that may cost. */
export function ProviderGrants() {
  const grants = useLoaded(() => api.call('listProviderGrants'), 'provider-grants', ['provider.'])
  return (
    <Section
      title="Providers"
      aside={
        <FoldedForm
          title="Let an agent use a provider"
          submit="Allow"
          done="Allowed."
          send={add}
          after={grants.reload}
        >
          <Field name="agent" label="Agent" isRequired />
          <Field name="provider" label="Provider" isRequired placeholder="openai" />
          <Choice
            name="days"
            label="For"
            options={[
              ['1', 'a day'],
              ['7', 'a week'],
              ['30', '30 days'],
              ['always', 'until revoked'],
            ]}
          />
          <Field name="models" label="Models" hint="Names, or beginnings that end in *. None: all." />
          <LimitFields />
        </FoldedForm>
      }
    >
      <Show of={grants}>
        {({ grants: rows }) => (
          <Table
            label="Grants for providers"
            rows={rows}
            keyOf={({ id }) => id}
            empty="No agent uses a provider unasked."
            columns={[
              { title: 'Agent', isName: true, cell: ({ agent }) => <bdi>{agent}</bdi> },
              { title: 'Provider', cell: ({ provider }) => <bdi>{provider}</bdi> },
              { title: 'Covers', cell: ({ groups }) => <Names of={groups} /> },
              { title: 'Models', cell: ({ models }) => <Names of={models} none="all" /> },
              { title: 'Limits', cell: ({ limits }) => limitsText(limits) },
              {
                title: 'Holds',
                cell: ({ expires_at }) => (expires_at === null ? 'until revoked' : <Time at={expires_at} />),
              },
              {
                title: '',
                cell: ({ id, agent, provider, limits, models }) => (
                  <div class="acts">
                    <FoldedForm
                      title="Change"
                      submit="Change"
                      done="Changed."
                      after={grants.reload}
                      send={({ names, ...fields }) =>
                        api.call('changeProviderGrant', {
                          params: { id },
                          body: { models: names?.trim() ? wordsIn(names) : null, limits: limitsIn(fields) },
                        })
                      }
                    >
                      <Field name="names" label="Models" value={models?.join(' ') ?? ''} />
                      <LimitFields of={limits} />
                    </FoldedForm>
                    <ConfirmButton
                      label="Revoke"
                      title={`Revoke ${provider} for ${agent}?`}
                      act={() => api.call('revokeProviderGrant', { params: { id } })}
                      done="Revoked."
                      after={grants.reload}
                    >
                      <p>Streams under way end; the next use asks again.</p>
                    </ConfirmButton>
                  </div>
                ),
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}
