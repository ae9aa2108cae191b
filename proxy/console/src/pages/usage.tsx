import { useMemo, useState } from 'preact/hooks'
import type { UsageGroupView } from '../../../src/contracts/admin/index.ts'
import { Money } from '../admin/money.tsx'
import { DayPlot, type Series } from '../admin/plot.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { count, dollars } from '../admin/texts.ts'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const SPANS = [7, 30, 90, 365] as const

function Groups({ title, rows }: { readonly title: string; readonly rows: readonly UsageGroupView[] }) {
  return (
    <Table
      label={`Usage by ${title.toLowerCase()}`}
      rows={rows}
      keyOf={({ key }) => key}
      empty="Nothing was used in this time."
      columns={[
        { title, isName: true, cell: ({ key }) => <bdi>{key}</bdi> },
        { title: 'Requests', isNumber: true, cell: ({ requests }) => count(requests) },
        { title: 'Failed', isNumber: true, cell: ({ failed }) => count(failed) },
        { title: 'Tokens in', isNumber: true, cell: ({ input_tokens }) => count(input_tokens) },
        { title: 'Tokens out', isNumber: true, cell: ({ output_tokens }) => count(output_tokens) },
        { title: 'From cache', isNumber: true, cell: ({ cache_read_tokens }) => count(cache_read_tokens) },
        {
          title: 'Money',
          isNumber: true,
          cell: (group) => <Money of={group} />,
        },
      ]}
    />
  )
}

/** Days without use are days with none, not gaps. */
function everyDay(
  since: string,
  groups: readonly UsageGroupView[],
): { days: string[]; of: (pick: (group: UsageGroupView) => number) => number[] } {
  const byDay = new Map(groups.map((group) => [group.key, group]))
  const days: string[] = []
  const last = Math.max(Date.parse(since), ...groups.map(({ key }) => Date.parse(key)))
  for (let at = Date.parse(since); at <= last; at += 86_400_000)
    days.push(new Date(at).toISOString().slice(0, 10))
  const of = (pick: (group: UsageGroupView) => number): number[] =>
    days.map((day) => {
      const group = byDay.get(day)
      return group === undefined ? 0 : pick(group)
    })
  return { days, of }
}

function Plots({ since, groups }: { readonly since: string; readonly groups: readonly UsageGroupView[] }) {
  const { days, money, tokens } = useMemo(() => {
    const { days, of } = everyDay(since, groups)
    const money: Series[] = [{ label: 'Money', color: '--accent', values: of(({ micro_usd }) => micro_usd) }]
    const tokens: Series[] = [
      { label: 'Tokens in', color: '--accent', values: of(({ input_tokens }) => input_tokens) },
      { label: 'Tokens out', color: '--good', values: of(({ output_tokens }) => output_tokens) },
    ]
    return { days, money, tokens }
  }, [since, groups])
  return (
    <div class="plots">
      <figure>
        <figcaption>Money by day</figcaption>
        <DayPlot
          label="Money by day; the figures are in the table by day."
          days={days}
          series={money}
          format={dollars}
        />
      </figure>
      <figure>
        <figcaption>Tokens by day</figcaption>
        <DayPlot
          label="Tokens by day; the figures are in the table by day."
          days={days}
          series={tokens}
          format={count}
        />
      </figure>
    </div>
  )
}

/** What agents used at providers: requests, tokens and money. */
export default function Usage() {
  const [days, setDays] = useState<number>(30)
  const usage = useLoaded(
    async () => {
      const report = (by: 'day' | 'agent' | 'model') =>
        api.call('reportUsage', { query: { by, days: String(days) } })
      const [byDay, byAgent, byModel] = await Promise.all([report('day'), report('agent'), report('model')])
      return { byDay, byAgent, byModel }
    },
    String(days),
    ['usage.'],
  )
  return (
    <>
      <h1>Usage</h1>
      <fieldset class="filters">
        <legend class="hidden">Time</legend>
        {SPANS.map((span) => (
          <button key={span} type="button" aria-pressed={span === days} onClick={() => setDays(span)}>
            {span} days
          </button>
        ))}
      </fieldset>
      <Show of={usage}>
        {({ byDay, byAgent, byModel }) => (
          <>
            {byDay.groups.length > 0 && <Plots since={byDay.since} groups={byDay.groups} />}
            {byModel.unpriced_models.length > 0 && (
              <p class="note">
                Without a price, and so in no sum of money: {byModel.unpriced_models.join(', ')}.
              </p>
            )}
            <Section title="By agent">
              <Groups title="Agent" rows={byAgent.groups} />
            </Section>
            <Section title="By model">
              <Groups title="Model" rows={byModel.groups} />
            </Section>
            <Section title="By day">
              <Groups title="Day" rows={byDay.groups} />
            </Section>
          </>
        )}
      </Show>
    </>
  )
}
