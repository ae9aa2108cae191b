import { useState } from 'preact/hooks'
import { useAct } from '../admin/act.tsx'
import { Choice, Field, wordsIn } from '../admin/form.tsx'
import { Section } from '../admin/section.tsx'
import { api } from '../api/client.ts'

type Explained = Awaited<ReturnType<typeof explain>>

const explain = (data: FormData) => {
  const text = (name: string): string => String(data.get(name) ?? '')
  const secrets = wordsIn(text('secrets'))
  const network = wordsIn(text('network'))
  return api.call('explain', {
    body: {
      code: text('code'),
      runtime: text('runtime'),
      ...(secrets.length > 0 ? { secrets } : {}),
      ...(network.length > 0 ? { network } : {}),
    },
  })
}

function Explanation({ of: { card, trusted } }: { readonly of: Explained }) {
  return (
    <Section title={trusted ? 'It would run unasked' : 'You would be asked'}>
      <ul class="bullets">
        {card.changes.map((change) => (
          <li key={change}>{change}</li>
        ))}
        {card.warnings.map(({ kind, text }) => (
          <li key={kind} class="tone-caution">
            {text}
          </li>
        ))}
      </ul>
      <dl class="pairs">
        <dt>Secrets</dt>
        <dd>
          {card.secrets.length === 0
            ? 'none'
            : card.secrets.map(({ name, goes }) => <p key={name}>{`${name} → ${goes}`}</p>)}
        </dd>
        <dt>Network</dt>
        <dd>{card.network}</dd>
        <dt>Sends</dt>
        <dd>{card.sends}</dd>
        <dt>Limits</dt>
        <dd>{card.limits}</dd>
        <dt>Code</dt>
        <dd class="mono hash">{card.codeHash}</dd>
      </dl>
    </Section>
  )
}

/** The card that a program would lead to. Nothing is run, stored or asked. */
export default function Try() {
  const [explained, setExplained] = useState<Explained>()
  const { isBusy, refusal, run } = useAct()
  return (
    <>
      <h1>Try a program</h1>
      <p class="lead">See the card that it would lead to. Nothing is run, stored or asked.</p>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          const data = new FormData(event.currentTarget)
          void run(async () => setExplained(await explain(data)), 'Read.')
        }}
      >
        <div class="field">
          <label for="try-code">Code</label>
          <textarea id="try-code" name="code" rows={12} class="mono" spellcheck={false} required />
        </div>
        <Choice
          name="runtime"
          label="Runtime"
          options={[
            ['deno', 'Deno'],
            ['node', 'Node'],
            ['python', 'Python'],
            ['quickjs', 'QuickJS'],
          ]}
        />
        <Field name="secrets" label="Secrets" />
        <Field name="network" label="Hosts" hint="None: those that the code names." />
        <p class="refusal" role="alert">
          {refusal}
        </p>
        <div class="answers">
          <button type="submit" class="primary" disabled={isBusy}>
            Show the card
          </button>
        </div>
      </form>
      {explained && <Explanation of={explained} />}
    </>
  )
}
