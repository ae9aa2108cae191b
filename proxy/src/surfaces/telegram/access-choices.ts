import { type AccessAnswer, type AccessCard, LIMIT_PRESETS } from '../../domain/provider-access/index.ts'

type Choice = Pick<AccessCard['choices'][number][number], 'decision' | 'scope' | 'limit'>

/** What a button of an ask's card answers, by the word in its callback data. */
const ACCESS_CHOICES = {
  '1h': { decision: '1h', scope: 'provider', limit: null },
  '24h': { decision: '24h', scope: 'provider', limit: null },
  always: { decision: 'always', scope: 'provider', limit: null },
  deny: { decision: 'deny', scope: 'provider', limit: null },
  model_1h: { decision: '1h', scope: 'model', limit: null },
  model_24h: { decision: '24h', scope: 'model', limit: null },
  model_always: { decision: 'always', scope: 'model', limit: null },
  '24h_usd1': { decision: '24h', scope: 'provider', limit: 'usd1' },
  always_usd1: { decision: 'always', scope: 'provider', limit: 'usd1' },
  '24h_tokens200k': { decision: '24h', scope: 'provider', limit: 'tokens200k' },
  always_tokens200k: { decision: 'always', scope: 'provider', limit: 'tokens200k' },
} as const satisfies Record<string, Choice>

export type AccessChoice = keyof typeof ACCESS_CHOICES

export const isAccessChoice = (text: string): text is AccessChoice => Object.hasOwn(ACCESS_CHOICES, text)

export function answerOfChoice(choice: AccessChoice): AccessAnswer {
  const { decision, scope, limit } = ACCESS_CHOICES[choice]
  return { decision, scope, ...(limit === null ? {} : { limits: LIMIT_PRESETS[limit] }) }
}

/** Throws where a card offers what no button says. */
export function choiceOf(wanted: Choice): AccessChoice {
  const found = Object.entries(ACCESS_CHOICES).find(
    ([, { decision, scope, limit }]) =>
      decision === wanted.decision && scope === wanted.scope && limit === wanted.limit,
  )
  if (found === undefined) throw new Error(`no button for ${JSON.stringify(wanted)}`)
  return found[0] as AccessChoice
}
