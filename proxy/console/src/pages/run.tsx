import type { RunDetail } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Section, Show } from '../admin/section.tsx'
import { count, dollars } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { RunState } from '../ui/run-state.tsx'
import { took } from '../ui/took.ts'
import { Trail } from '../ui/trail.tsx'
import { RunEventsOf } from './run-events.tsx'
import type { PageProps } from './table.ts'

const isOpen = ({ state }: RunDetail): boolean => state === 'queued' || state === 'running'

function Figures({ run }: { readonly run: RunDetail }) {
  return (
    <dl class="pairs">
      <dt>App</dt>
      <dd>
        <Link to={`/apps/${encodeURIComponent(run.app)}`}>
          <bdi>{run.app}</bdi>
        </Link>
      </dd>
      <dt>Model</dt>
      <dd>
        <bdi>{run.model}</bdi>
      </dd>
      <dt>Prompt</dt>
      <dd>
        {count(run.prompt_chars)} characters, SHA-256 <code class="hash">{run.prompt_sha256}</code>
      </dd>
      <dt>Asked</dt>
      <dd>
        <Time at={run.created_at} />
        {run.detached && ', detached: it goes on when its caller leaves'}
      </dd>
      <dt>Took</dt>
      <dd>
        {took(run)}
        {run.first_byte_ms !== null && `, ${run.first_byte_ms} ms to the first piece of an answer`}
      </dd>
      <dt>Tokens</dt>
      <dd>
        {count(run.input_tokens)} in, {count(run.output_tokens)} out, {count(run.cache_read_tokens)} read from
        the cache, {count(run.cache_write_tokens)} written to it
      </dd>
      <dt>Calls of the model</dt>
      <dd>{count(run.requests)}</dd>
      <dt>Money</dt>
      <dd>{run.micro_usd === null ? 'no price is known' : dollars(run.micro_usd)}</dd>
      {run.stop_reason !== null && (
        <>
          <dt>Stop reason</dt>
          <dd>
            <bdi>{run.stop_reason}</bdi>
          </dd>
        </>
      )}
      {run.session_id !== null && (
        <>
          <dt>Session</dt>
          <dd>
            <code class="hash">{run.session_id}</code>
          </dd>
        </>
      )}
    </dl>
  )
}

function Texts({ run }: { readonly run: RunDetail }) {
  return (
    <>
      {run.denials.length > 0 && (
        <Section title="Refused tools">
          <ul class="bullets">
            {run.denials.map((denial, at) => (
              <li key={`${at} ${denial.tool}`}>
                <bdi class="mono">{denial.tool}</bdi>: <bdi>{denial.message}</bdi>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {run.texts.map(({ label, text, cut }) => (
        <Section key={label} title={label}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
          <pre class="output" tabIndex={0}>
            {text}
          </pre>
          {cut && <p class="soft">There is more of it: the app gets all of it.</p>}
        </Section>
      ))}
      {!isOpen(run) && !run.kept && <p class="empty">Its texts are not kept any more.</p>}
    </>
  )
}

/** One run: how it stands, what it tells while it goes on, what it used, and what came of it. */
export default function Run({ params }: PageProps) {
  const id = params.id ?? ''
  const run = useLoaded(() => api.call('readRun', { params: { id } }), id, ['run.'])
  return (
    <Show of={run}>
      {(of) => (
        <article aria-label={`Run ${of.id}`}>
          <header class="page-head">
            <h1>
              Run <span class="mono hash">{of.id}</span>
            </h1>
            <p class="soft hash">
              <RunState run={of} />
              {of.message !== null && (
                <>
                  {' '}
                  <bdi>{of.message}</bdi>
                </>
              )}
            </p>
            {isOpen(of) && (
              <ConfirmButton
                label="Cancel the run"
                title="Cancel the run?"
                act={() => api.call('cancelRun', { params: { id } })}
                done="Cancelled."
                after={run.reload}
              >
                <p>Its container ends at once. What it used until then stays counted.</p>
              </ConfirmButton>
            )}
          </header>
          <Figures run={of} />
          <RunEventsOf key={of.id} id={of.id} isOpen={isOpen(of)} over={run.reload} />
          <Texts run={of} />
          <Trail id={of.id} />
        </article>
      )}
    </Show>
  )
}
