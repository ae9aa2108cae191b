import type { ApprovalSummary } from '../../../src/contracts/admin/index.ts'
import { useAct } from '../admin/act.tsx'
import { api } from '../api/client.ts'
import { go } from '../router.ts'
import { Link } from './link.tsx'

/** Asks once more what expired; the new request opens, and waits for an answer as any other. */
export function AskAgain({ view }: { readonly view: ApprovalSummary }) {
  const { isBusy, refusal, run } = useAct()
  if (!view.can_ask_again) return null
  const ask = async (): Promise<void> => {
    const { id } = await api.call('askAgain', {
      params: { id: view.id },
      body: { consent_hash: view.consent_hash },
    })
    go(`/requests/${id}`)
  }
  return (
    <span class="ask-again">
      <button
        type="button"
        class="small"
        disabled={isBusy}
        aria-label={`Ask again: ${view.summary}`}
        onClick={() => void run(ask, `${view.summary} is asked again.`)}
      >
        Ask again
      </button>
      <span class="refusal" role="alert">
        {refusal}
      </span>
    </span>
  )
}

/** Which request this one asks once more, and which one asks it once more. */
export function Kin({ view: { again_of: of, superseded_by: by } }: { readonly view: ApprovalSummary }) {
  if (of === null && by === null) return null
  return (
    <p class="soft">
      {of !== null && (
        <>
          Asks once more what <Link to={`/requests/${of}`}>{of}</Link> asked.{' '}
        </>
      )}
      {by !== null && (
        <>
          Asked once more by <Link to={`/requests/${by}`}>{by}</Link>.
        </>
      )}
    </p>
  )
}
