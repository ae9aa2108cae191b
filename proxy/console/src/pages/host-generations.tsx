import type { GenerationView, HostedAgentView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { bytes, count } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

interface Row extends GenerationView {
  readonly name: string
}

/** What is kept of the files of each, and the way back to it. */
export function HostGenerations({
  hosts,
  after,
}: {
  readonly hosts: readonly HostedAgentView[]
  readonly after: () => void
}) {
  const kept = useLoaded(
    async () => {
      const ofAll = hosts.map(async ({ name }): Promise<readonly Row[]> => {
        const { generations } = await api.call('listGenerations', { params: { name } })
        return generations.map((one) => ({ ...one, name }))
      })
      return (await Promise.all(ofAll)).flat()
    },
    hosts.map(({ id, changed_at }) => `${id} ${changed_at}`).join(' '),
    ['machine.'],
  )
  const reload = (): void => {
    kept.reload()
    after()
  }
  return (
    <Section title="Kept files">
      <Show of={kept}>
        {(rows) => (
          <Table
            label="Kept files by hosted agent"
            rows={rows}
            keyOf={({ name, number }) => `${name} ${number}`}
            empty="None yet. Each time that one is stopped its files are kept."
            columns={[
              { title: 'Name', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
              { title: 'Number', isNumber: true, cell: ({ number }) => number },
              { title: 'Of', cell: ({ created_at }) => <Time at={created_at} /> },
              { title: 'Files', isNumber: true, cell: ({ files }) => count(files) },
              { title: 'Size', isNumber: true, cell: (row) => bytes(row.bytes) },
              { title: 'Next wake', cell: ({ current }) => (current ? 'brings these' : '') },
              {
                title: '',
                cell: ({ name, number }) => <RollBack name={name} number={number} after={reload} />,
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}

function RollBack({
  name,
  number,
  after,
}: {
  readonly name: string
  readonly number: number
  readonly after: () => void
}) {
  return (
    <ConfirmButton
      label="Roll back"
      title={`Roll ${name} back to ${number}?`}
      act={() => api.call('rollBackHost', { params: { name }, body: { to: number } })}
      done={`${name} has the files of ${number}.`}
      after={after}
    >
      <p>What it has now is kept first, as a generation of its own. It is stopped for it, and woken again.</p>
    </ConfirmButton>
  )
}
