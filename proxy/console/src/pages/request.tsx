import { useEffect, useState } from 'preact/hooks'
import type { ApprovalView, CardView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { api } from '../api/client.ts'
import { go } from '../router.ts'
import { followView, isExpired, views } from '../state/approvals.ts'
import { decide, denyChoice, onceChoice } from '../state/decide.ts'
import { bindKeys } from '../state/keys.ts'
import { AskAgain, Kin } from '../ui/ask-again.tsx'
import { Alarms, Fact, SecretFacts } from '../ui/card-facts.tsx'
import { CodeView } from '../ui/code-view.tsx'
import { ComparedTexts } from '../ui/compared.tsx'
import { counted } from '../ui/counted.ts'
import { canDecide, Decision } from '../ui/decision-buttons.tsx'
import { Outcome } from '../ui/outcome.tsx'
import { ProvenanceFacts } from '../ui/provenance.tsx'
import { ReceiptOf } from '../ui/receipt.tsx'
import { RequirementNotes } from '../ui/requirements.tsx'
import { ShownText, WholeText } from '../ui/shown-line.tsx'
import { Ago, Left, Reminded } from '../ui/time.tsx'
import { Trail } from '../ui/trail.tsx'

/** One request: its card, what can be answered, and what came of it. */
export default function RequestPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const id = params.id ?? ''
  const [error, setError] = useState<Error | null>(null)
  useEffect(() => followView(id, setError), [id])
  const view = views.value.get(id)
  if (view === undefined) return <p class="empty">{error === null ? 'Loading …' : error.message}</p>
  return <RequestCard view={view} />
}

function RequestCard({ view }: { readonly view: ApprovalView }) {
  useEffect(
    () =>
      bindKeys([
        { key: 'a', says: 'approve once', run: () => answer(view, onceChoice) },
        { key: 'd', says: 'deny', run: () => answer(view, denyChoice) },
        { key: 'u', says: 'back to the inbox', run: () => go('/') },
      ]),
    [view],
  )
  const { shown } = view
  return (
    <article class="request" aria-label={view.summary}>
      <header class="page-head">
        <h1>
          <bdi>{view.summary}</bdi>
        </h1>
        <p class="soft">
          <StateBadge view={view} /> <bdi>{view.agent}</bdi> asked <Ago at={view.created_at} />
          {view.waiting && (
            <>
              {' · '}
              <Left until={view.expires_at} />
            </>
          )}
          <Reminded at={view.reminded_at} />
        </p>
        <AskAgain view={view} />
        {view.can_stop && (
          <ConfirmButton
            label="Stop the run"
            title="Stop the run?"
            act={() => api.call('stopRequest', { params: { id: view.id } })}
            done="It has ended."
          >
            <p>
              Its container and its connections end at once; what it has sent stays sent. Its agent is told,
              and a grant that lets it run stands.
            </p>
          </ConfirmButton>
        )}
      </header>
      <Kin view={view} />
      <RequirementNotes view={view} />
      {shown.form === 'program' && shown.card.code.kept && <Alarms card={shown.card} />}
      {view.awaited !== null && <p class="note">{view.awaited}</p>}
      {view.waiting && (
        <div class="decide-place">
          {isExpired(view) && (
            <p class="note bad">Its time is over by the daemon’s clock. The agent can ask again.</p>
          )}
          <Decision view={view} />
        </div>
      )}
      {shown.form === 'program' && shown.card.changes.length > 0 && view.state === 'pending' && (
        <ComparedTexts id={view.id} />
      )}
      {(view.outcome.decided !== null || view.ended) && <Outcome view={view} />}
      {shown.form === 'program' ? (
        <ProgramCard view={view} card={shown.card} />
      ) : (
        <section class="panel lines">
          {shown.lines.map((line) => (
            <p key={JSON.stringify(line)}>
              <ShownText line={line} />
            </p>
          ))}
          <WholeText of={shown.text} />
          <p class="soft mono hash">consent {view.consent_hash}</p>
        </section>
      )}
      {view.outcome.decided !== null && <ReceiptOf id={view.id} />}
      {view.state !== 'pending' && <Trail id={view.id} />}
    </article>
  )
}

function answer(view: ApprovalView, choiceOf: typeof onceChoice): void {
  const choice = choiceOf(view)
  if (choice !== undefined && canDecide(view)) void decide(view, choice.choice)
}

export function StateBadge({ view }: { readonly view: Pick<ApprovalView, 'state' | 'status' | 'failure'> }) {
  if (view.failure !== null) return <span class="badge bad">{`${view.status} (${view.failure})`}</span>
  const tone = { pending: 'caution', approved: 'good', denied: 'bad', expired: '', cancelled: '' }[view.state]
  return <span class={`badge ${tone}`}>{view.state === 'approved' ? view.status : view.state}</span>
}

/** All that the consent holds; every text of it is visible already, and is set as text here. */
function ProgramCard({ view, card }: { readonly view: ApprovalView; readonly card: CardView }) {
  return (
    <>
      <section class="panel" aria-label="What it may do">
        {card.description !== '' && (
          <p class="says">
            <bdi>{card.description}</bdi>
          </p>
        )}
        <dl class="facts wide">
          <SecretFacts card={card} />
          <Fact name="Sends">
            <bdi class="mono">{card.sends}</bdi>
          </Fact>
          {card.imports !== null && (
            <Fact name="Imports">
              <bdi class="mono">{card.imports}</bdi>
            </Fact>
          )}
          {card.args !== null && (
            <Fact name="Args">
              <bdi class="mono">{card.args}</bdi>
            </Fact>
          )}
          <Fact name="Runs in">
            {card.runtime} · {card.limits}
          </Fact>
          <Fact name="Agent">
            <bdi>{card.agent}</bdi>
          </Fact>
          {card.source !== null && (
            <Fact name="Link">
              <bdi class="mono">{card.source}</bdi>
            </Fact>
          )}
          <Fact name="Code SHA-256">
            <span class="mono hash">{card.codeHash}</span>
          </Fact>
          <Fact name="Consent">
            <span class="mono hash">{view.consent_hash}</span>
          </Fact>
          <Fact name="Request">
            <span class="mono hash">{view.id}</span>
          </Fact>
        </dl>
      </section>
      {card.provenance && <ProvenanceFacts of={card.provenance} />}
      {card.cut && (
        <section class="panel" aria-label="In full">
          <h2>In full, since something above was cut</h2>
          <pre class="full">{card.full}</pre>
        </section>
      )}
      <section aria-label="Code">
        <h2 class="code-head">
          Code{' '}
          <span class="soft">
            {card.code.kept
              ? `${counted(card.code.lines, 'line')}, ${counted(card.code.bytes, 'byte')}, all of it`
              : ''}
          </span>
        </h2>
        {card.code.kept ? (
          <CodeView code={card.code.text} language={card.runtime.split(',')[0] ?? ''} />
        ) : (
          <p class="note">{card.code.text}</p>
        )}
      </section>
    </>
  )
}
