import { useState } from 'preact/hooks'
import { useAct } from '../admin/act.tsx'
import { Section } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { api } from '../api/client.ts'
import { Icon } from '../ui/icon.tsx'

type Report = Awaited<ReturnType<typeof diagnose>>
const diagnose = () => api.call('runDoctor')

/** Tries every part for real. */
export function Doctor() {
  const [report, setReport] = useState<Report>()
  const { isBusy, refusal, run } = useAct()
  return (
    <Section
      title="Doctor"
      aside={
        <button
          type="button"
          disabled={isBusy}
          onClick={() => void run(async () => setReport(await diagnose()), 'The doctor has looked.')}
        >
          {isBusy ? 'Looking …' : 'Try every part'}
        </button>
      }
    >
      <p class="refusal" role="alert">
        {refusal}
      </p>
      {report && (
        <Table
          label="What the doctor found"
          rows={report.checks}
          keyOf={({ name }) => name}
          empty="Nothing was tried."
          columns={[
            {
              title: 'Part',
              isName: true,
              cell: ({ name, ok, warning }) => (
                <span class={!ok ? 'tone-bad' : warning ? 'tone-caution' : 'tone-good'}>
                  <Icon name={!ok ? 'cross' : warning ? 'warning' : 'check'} /> {name}
                  <span class="hidden">{!ok ? ' failed' : warning ? ' could be stronger' : ' is well'}</span>
                </span>
              ),
            },
            { title: 'Found', cell: ({ said }) => said },
            { title: 'Took', isNumber: true, cell: ({ duration_ms }) => `${duration_ms} ms` },
          ]}
        />
      )}
    </Section>
  )
}
