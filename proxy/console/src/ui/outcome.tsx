import type { ApprovalView } from '../../../src/contracts/admin/index.ts'
import { ShownText } from './shown-line.tsx'
import { formatTime } from './time.tsx'

/** What became of a request: the answer and who gave it, and what came of it. */
export function Outcome({ view }: { readonly view: ApprovalView }) {
  const { decided, lines, note, rows, texts, tone } = view.outcome
  return (
    <section class={`panel outcome ${tone ?? ''}`} aria-label="Outcome">
      <h2>
        {view.status}
        <span class="soft">{note}</span>
      </h2>
      <dl class="facts wide">
        {decided !== null && (
          <div>
            <dt>Decided</dt>
            <dd>
              {decided.answer} by <bdi>{decided.by}</bdi>, {formatTime(decided.at)}
            </dd>
          </div>
        )}
        {rows.map(({ label, value, tone: of }) => (
          <div key={`${label} ${value}`}>
            <dt>{label}</dt>
            <dd class={of ?? ''}>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      {decided === null &&
        lines.map((line) => (
          <p key={JSON.stringify(line)}>
            <ShownText line={line} />
          </p>
        ))}
      {texts.map(({ label, text }) => (
        <figure key={label}>
          <figcaption>{label}</figcaption>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
          <pre class="output" tabIndex={0}>
            {text}
          </pre>
        </figure>
      ))}
    </section>
  )
}
