import { useState } from 'preact/hooks'
import { useAct } from '../admin/act.tsx'
import { checkChain } from '../admin/audit-chain.ts'
import { Section } from '../admin/section.tsx'
import { count } from '../admin/texts.ts'
import { api } from '../api/client.ts'
import { href } from '../router.ts'

interface Verdict {
  readonly isGood: boolean
  readonly text: string
}

/** The daemon checks all of it, archives and seal included; it may take several answers. */
async function checkedByDaemon(): Promise<Verdict> {
  for (let incremental: '0' | '1' = '0'; ; incremental = '1') {
    const verdict = await api.call('verifyAudit', { query: { incremental } })
    if (!verdict.ok)
      return { isGood: false, text: `Row ${verdict.broken_id} is not what it was: ${verdict.reason}.` }
    if (verdict.finished) {
      const rows = count(verdict.rows + verdict.archived)
      return { isGood: true, text: `The daemon found ${rows} rows whole. Head: ${verdict.head_hash}` }
    }
  }
}

async function checkedHere(onProgress: (rows: number) => void): Promise<Verdict> {
  const { rows, head, broken } = await checkChain(api.lines('exportAudit'), onProgress)
  return broken
    ? { isGood: false, text: `Row ${broken.id} is not what it was: ${broken.reason}.` }
    : { isGood: true, text: `This browser found ${count(rows)} rows whole. Head: ${head}` }
}

/** Whether anybody changed the audit: asked of the daemon, or worked out by the browser itself. */
export function AuditCheck() {
  const [verdict, setVerdict] = useState<Verdict>()
  const [looked, setLooked] = useState(0)
  const { isBusy, refusal, run } = useAct()
  const check = (by: () => Promise<Verdict>): void => {
    setVerdict(undefined)
    setLooked(0)
    void run(async () => setVerdict(await by()), 'Checked.')
  }
  return (
    <Section title="Is it whole?">
      <div class="answers">
        <button type="button" disabled={isBusy} onClick={() => check(checkedByDaemon)}>
          Let the daemon check
        </button>
        <button type="button" disabled={isBusy} onClick={() => check(() => checkedHere(setLooked))}>
          Check in this browser
        </button>
        <a class="button" href={href('/api/v1/audit/export')} download="audit.jsonl">
          Export
        </a>
      </div>
      <p role="status" class={verdict === undefined ? 'soft' : verdict.isGood ? 'note good' : 'note bad'}>
        {verdict?.text ?? (isBusy ? `Checking … ${looked > 0 ? `${count(looked)} rows` : ''}` : '')}
      </p>
      <p class="refusal" role="alert">
        {refusal}
      </p>
    </Section>
  )
}
