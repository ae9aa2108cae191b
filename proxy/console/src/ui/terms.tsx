import type { ApprovalChoiceView } from '../../../src/contracts/admin/index.ts'
import { Field, type Fields, microUsdIn, numberIn, wordsIn } from '../admin/form.tsx'

import type { Terms } from '../state/decide.ts'

/** How a person writes a term, and what of it goes to the daemon; undefined: nothing was written. */
const TERMS = {
  uses: {
    fields: () => (
      <Field name="uses" label="How many runs" type="number" hint="This one counts. None: any number." />
    ),
    read: ({ uses }: Fields) => numberIn(uses, 'How many runs') ?? undefined,
  },
  until: {
    fields: () => <Field name="until" label="Until" type="datetime-local" hint="In your time zone." />,
    read: ({ until }: Fields) => {
      if (until === undefined || until === '') return undefined
      const at = Date.parse(until)
      if (Number.isNaN(at)) throw new Error('Until takes a date and a time.')
      return at
    },
  },
  models: {
    fields: () => (
      <Field name="models" label="Models" hint="Names, or beginnings that end in *. None: as was asked." />
    ),
    read: ({ models }: Fields) => (models?.trim() ? wordsIn(models) : undefined),
  },
  paths: {
    fields: () => <Field name="paths" label="Paths" hint="Apart by spaces. None: as was asked." />,
    read: ({ paths }: Fields) => (paths?.trim() ? wordsIn(paths) : undefined),
  },
  limits: {
    fields: () => (
      <>
        <Field name="rpm" label="Requests a minute" type="number" />
        <Field name="tokens" label="Tokens a day" type="number" />
        <Field name="usd" label="US dollars a day" type="number" />
        <Field name="requests" label="Requests in all" type="number" hint="Then it asks anew." />
      </>
    ),
    read: ({ rpm, tokens, usd, requests }: Fields) => {
      const limits = Object.entries({
        requests_per_minute: numberIn(rpm, 'Requests a minute'),
        tokens_per_day: numberIn(tokens, 'Tokens a day'),
        micro_usd_per_day: microUsdIn(usd, 'US dollars a day'),
        requests: numberIn(requests, 'Requests in all'),
      }).filter(([, value]) => value !== null)
      return limits.length === 0 ? undefined : Object.fromEntries(limits)
    },
  },
} as const

const known = ({ terms }: ApprovalChoiceView) =>
  terms.filter((name): name is keyof typeof TERMS => name in TERMS)

/** A field for each term that the choice takes. */
export function TermFields({ of }: { readonly of: ApprovalChoiceView }) {
  return (
    <>
      {known(of).map((name) => {
        const { fields: Of } = TERMS[name]
        return <Of key={name} />
      })}
    </>
  )
}

/** Those that were written; none: undefined. Throws what a person can set right. */
export function termsIn(choice: ApprovalChoiceView, fields: Fields): Terms | undefined {
  const given = known(choice).flatMap((name) => {
    const value = TERMS[name].read(fields)
    return value === undefined ? [] : [[name, value] as const]
  })
  if (given.length > 0) return Object.fromEntries(given)
  if (choice.needs_terms) throw new Error('Write at least one limit.')
  return undefined
}
