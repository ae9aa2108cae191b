import type { AccessGrantView, LimitsView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Choice, Field, type Fields, FoldedForm, microUsdIn, numberIn, wordsIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count, dollars } from '../admin/texts.ts'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const HOUR_MS = 3_600_000

const limitsIn = ({ rpm, tokens, usd, requests }: Fields) => ({
  requests_per_minute: numberIn(rpm, 'Requests a minute'),
  tokens_per_day: numberIn(tokens, 'Tokens a day'),
  micro_usd_per_day: microUsdIn(usd, 'Money a day'),
  requests: numberIn(requests, 'Requests in all'),
})

const limitsText = (
  { requests_per_minute: rpm, tokens_per_day: tokens, micro_usd_per_day: usd, requests }: LimitsView,
  left: number | null,
): string =>
  [
    rpm === null ? '' : `${count(rpm)} requests a minute`,
    tokens === null ? '' : `${count(tokens)} tokens a day`,
    usd === null ? '' : `${dollars(usd)} a day`,
    requests === null || left === null ? '' : `${count(left)} of ${count(requests)} requests left`,
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
      <Field
        name="requests"
        label="Requests in all"
        type="number"
        value={text(of?.requests)}
        hint="Behind the last of them it asks anew."
      />
    </>
  )
}

/** Null: all of them. */
const listIn = (text: string | undefined): string[] | null => (text?.trim() ? wordsIn(text) : null)
const groupsIn = (text: string | undefined) => (text?.trim() ? { groups: wordsIn(text) } : {})

const add = ({
  agent = '',
  provider = '',
  hours = '24',
  groups,
  models,
  paths,
  ...limits
}: Fields): Promise<unknown> =>
  api.call('addProviderGrant', {
    body: {
      agent,
      provider,
      for_ms: hours === 'always' ? null : Number(hours) * HOUR_MS,
      ...groupsIn(groups),
      models: listIn(models),
      paths: listIn(paths),
      limits: limitsIn(limits),
    },
  })

type Scope = Pick<AccessGrantView, 'groups' | 'models' | 'paths'>

/** What of the provider it is for. */
function ScopeFields({ of }: { readonly of?: Scope }) {
  return (
    <>
      <Field
        name="models"
        label="Models"
        value={of?.models?.join(' ') ?? ''}
        hint="Names, or beginnings that end in *. None: all."
      />
      <Field
        name="groups"
        label="What may be done"
        value={of?.groups.join(' ') ?? ''}
        placeholder="inference"
        hint="inference, files, batches, fine_tuning, stored, realtime, deferred, organization, other"
      />
      <Field
        name="paths"
        label="Paths"
        value={of?.paths?.join(' ') ?? ''}
        hint="Beginnings such as /chat/completions. None: all."
      />
    </>
  )
}

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
            name="hours"
            label="For"
            value="24"
            options={[
              ['1', 'an hour'],
              ['24', '24 hours'],
              ['168', 'a week'],
              ['720', '30 days'],
              ['always', 'until revoked'],
            ]}
          />
          <ScopeFields />
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
              { title: 'Paths', cell: ({ paths }) => <Names of={paths} none="all" /> },
              { title: 'Limits', cell: ({ limits, requests_left }) => limitsText(limits, requests_left) },
              {
                title: 'Holds',
                cell: ({ expires_at }) => (expires_at === null ? 'until revoked' : <Time at={expires_at} />),
              },
              {
                title: '',
                cell: ({ id, agent, provider, limits, ...scope }) => (
                  <div class="acts">
                    <FoldedForm
                      title="Change"
                      submit="Change"
                      done="Changed."
                      after={grants.reload}
                      send={({ groups, models, paths, ...fields }) =>
                        api.call('changeProviderGrant', {
                          params: { id },
                          body: {
                            ...groupsIn(groups),
                            models: listIn(models),
                            paths: listIn(paths),
                            limits: limitsIn(fields),
                          },
                        })
                      }
                    >
                      <ScopeFields of={scope} />
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
