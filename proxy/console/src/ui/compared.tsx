import { useEffect, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { Hunks } from '../code/hunks.ts'

interface Compared {
  readonly label: string
  readonly before: string | null
  readonly hunks: Hunks
}

async function compare(id: string): Promise<readonly Compared[]> {
  const [{ texts }, { hunksOf }] = await Promise.all([
    api.call('compareApproval', { params: { id } }),
    import('../code/hunks.ts'),
  ])
  return texts.map(({ label, before, now }) => ({
    label,
    before,
    hunks: before === null ? null : hunksOf(before, now),
  }))
}

/** What is another in the texts of a request than in those that were approved before. */
export function ComparedTexts({ id }: { readonly id: string }) {
  const [texts, setTexts] = useState<readonly Compared[]>([])
  const [error, setError] = useState('')
  useEffect(() => {
    compare(id).then(setTexts, ({ message }: Error) => setError(message))
  }, [id])
  if (error !== '') return <p class="note bad">What was approved before could not be read: {error}</p>
  return (
    <>
      {texts.map(({ label, before, hunks }) => (
        <section key={label} aria-label={`${label} compared`}>
          <h2 class="code-head">
            {label} <span class="soft">beside what you approved before</span>
          </h2>
          {hunks === null ? (
            <p class="note">
              {before === null
                ? 'What was approved before is no longer kept: read all of it.'
                : 'Nearly all of it is another: read all of it.'}
            </p>
          ) : (
            <DiffView hunks={hunks} />
          )}
        </section>
      ))}
    </>
  )
}

const TAGS = { '+': 'ins', '−': 'del', ' ': 'span' } as const

function DiffView({ hunks }: { readonly hunks: NonNullable<Hunks> }) {
  return (
    <pre class="code diff">
      {hunks.map((hunk) => (
        <code key={`${hunk[0]?.sign}${hunk[0]?.number}`} class="hunk">
          {hunk.map(({ sign, number, text }) => {
            const Tag = TAGS[sign]
            return (
              <Tag key={`${sign}${number}`} class="line" data-n={`${number} ${sign}`}>
                {text}
              </Tag>
            )
          })}
        </code>
      ))}
    </pre>
  )
}
