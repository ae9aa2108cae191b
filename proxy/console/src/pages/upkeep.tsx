import { useState } from 'preact/hooks'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { Section } from '../admin/section.tsx'
import { bytes, count } from '../admin/texts.ts'
import { api } from '../api/client.ts'
import { isOfInstallation } from '../state/session-signals.ts'

type Pruned = Awaited<ReturnType<typeof prunedOnce>>
const prunedOnce = (dry_run: boolean) =>
  api.call('prune', { body: { dry_run, older_than_ms: null, max_bytes: null } })

/** In portions: the route answers before its time is up, and is asked again. */
async function prune(): Promise<void> {
  while (!(await prunedOnce(false)).finished);
}

const size = (value: number | null): string => (value === null ? '' : ` (${bytes(value)})`)

const goes = ({ outputs, output_bytes, code, code_bytes, executions, usage_rows }: Pruned): string =>
  [
    `${count(outputs)} outputs${size(output_bytes)}`,
    code === null ? '' : `${count(code)} programs${size(code_bytes)}`,
    `${count(executions)} executions`,
    `${count(usage_rows)} rows of usage`,
  ]
    .filter((part) => part !== '')
    .join(', ')

function Prune() {
  const [found, setFound] = useState<Pruned>()
  const { isBusy, refusal, run } = useAct()
  return (
    <div class="acts">
      <button
        type="button"
        disabled={isBusy}
        onClick={() => void run(async () => setFound(await prunedOnce(true)), 'Counted.')}
      >
        What would be dropped?
      </button>
      <ConfirmButton
        label="Drop what is over"
        title="Drop what the settings keep no longer?"
        act={prune}
        done="Dropped."
        after={() => setFound(undefined)}
      >
        <p>The audit stays. What waits, what grants stand for and what was not delivered stays too.</p>
      </ConfirmButton>
      <span role="status">
        {found &&
          `${goes(found)}. The database has ${bytes(found.used_bytes)}, the disk ${bytes(found.free_bytes)} free.`}
      </span>
      <span class="refusal" role="alert">
        {refusal}
      </span>
    </div>
  )
}

/** What is kept, and the keys that everything is sealed with. */
export function Upkeep() {
  return (
    <Section title="Upkeep">
      <h3>Retention</h3>
      <Prune />
      <h3>Sealing keys</h3>
      <div class="acts">
        <ConfirmButton
          label="Rotate the data key"
          title="Seal every secret anew?"
          act={() => api.call('rotateKeys', { body: { what: 'data' } })}
          done="Every secret is sealed with a new key."
          isDanger={false}
        >
          <p>A new data key; every secret is sealed with it. Nothing else changes.</p>
        </ConfirmButton>
        {isOfInstallation() && (
          <ConfirmButton
            label="Rotate the master key"
            title="Replace the master key?"
            act={() => api.call('rotateKeys', { body: { what: 'master' } })}
            done="There is a new master key."
          >
            <p>Backups from before need the old one: keep a copy of it with them.</p>
          </ConfirmButton>
        )}
      </div>
    </Section>
  )
}
