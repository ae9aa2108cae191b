import { useState } from 'preact/hooks'
import type { HostedAgentView } from '../../../src/contracts/admin/index.ts'
import { Money } from '../admin/money.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count } from '../admin/texts.ts'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const SPANS = [
  { days: '1', label: 'Today' },
  { days: '30', label: '30 days' },
] as const

/** Of each: the time of its machine and its model calls. */
export function HostUsage({ hosts }: { readonly hosts: readonly HostedAgentView[] }) {
  const [days, setDays] = useState<'1' | '30'>('1')
  const used = useLoaded(
    () =>
      Promise.all(
        hosts.map(async ({ id, name }) => ({
          ...{ id, name },
          ...(await api.call('reportHostUsage', { params: { name }, query: { days } })),
        })),
      ),
    `${days} ${hosts.map(({ id, changed_at }) => `${id} ${changed_at}`).join(' ')}`,
    ['usage.'],
  )
  const spans = (
    <fieldset class="filters">
      <legend class="hidden">Time</legend>
      {SPANS.map((span) => (
        <button
          key={span.days}
          type="button"
          aria-pressed={span.days === days}
          onClick={() => setDays(span.days)}
        >
          {span.label}
        </button>
      ))}
    </fieldset>
  )
  return (
    <Section title="What they used" aside={spans}>
      <Show of={used}>
        {(rows) => (
          <Table
            label="Usage by hosted agent"
            rows={rows}
            keyOf={({ id }) => id}
            empty="None yet."
            columns={[
              { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
              {
                title: 'Awake, seconds',
                isNumber: true,
                cell: ({ awake_seconds }) => count(Math.round(awake_seconds)),
              },
              {
                title: 'GB-seconds',
                isNumber: true,
                cell: ({ gb_seconds }) => count(Math.round(gb_seconds)),
              },
              { title: 'Model calls', isNumber: true, cell: ({ requests }) => count(requests) },
              {
                title: 'Tokens',
                isNumber: true,
                cell: ({ input_tokens, output_tokens }) => count(input_tokens + output_tokens),
              },
              { title: 'Money', isNumber: true, cell: (row) => <Money of={row} /> },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}
