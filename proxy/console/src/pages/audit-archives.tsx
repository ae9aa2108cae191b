import { Field, FoldedForm, numberIn } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { bytes } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'

const DAY_MS = 86_400_000

/** Moved in portions: the route answers before its time is up, and is asked again. */
async function archive(days: string | undefined): Promise<void> {
  const older_than_ms = (numberIn(days, 'Days') ?? 0) * DAY_MS
  while (!(await api.call('archiveAudit', { body: { older_than_ms } })).finished);
}

/** Old events in sealed files, whose digests stay in the chain. */
export function AuditArchives() {
  const archives = useLoaded(() => api.call('listAuditArchives'), 'archives', ['audit.archived'])
  return (
    <Section
      title="Archives"
      aside={
        <FoldedForm
          title="Move old events into a file"
          submit="Archive"
          done="Archived."
          send={({ days }) => archive(days)}
          after={archives.reload}
        >
          <Field name="days" label="Events older than so many days" type="number" value="365" isRequired />
        </FoldedForm>
      }
    >
      <Show of={archives}>
        {({ folder, archives: rows }) => (
          <>
            <Table
              label="Archives"
              rows={rows}
              keyOf={({ name }) => name}
              empty="None: all events are in the database."
              columns={[
                { title: 'File', isName: true, cell: ({ name }) => <code>{name}</code> },
                { title: 'Rows', isNumber: true, cell: ({ first, last }) => `${first}–${last}` },
                { title: 'Size', isNumber: true, cell: ({ bytes: size }) => bytes(size) },
                { title: 'Made', cell: ({ archived_at }) => <Time at={archived_at} /> },
              ]}
            />
            <p class="soft">In {folder} on the machine of the daemon.</p>
          </>
        )}
      </Show>
    </Section>
  )
}
