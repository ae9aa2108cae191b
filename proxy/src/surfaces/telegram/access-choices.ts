import type { AccessAnswer } from '../../domain/provider-access/index.ts'

type Choice = Pick<AccessAnswer, 'decision' | 'scope'>

/** What a button of an ask's card answers, by the word in its callback data. */
const ACCESS_CHOICES = {
  '1h': { decision: '1h', scope: 'provider' },
  '24h': { decision: '24h', scope: 'provider' },
  always: { decision: 'always', scope: 'provider' },
  deny: { decision: 'deny', scope: 'provider' },
  model_1h: { decision: '1h', scope: 'model' },
  model_24h: { decision: '24h', scope: 'model' },
  model_always: { decision: 'always', scope: 'model' },
} as const satisfies Record<string, Choice>

export type AccessChoice = keyof typeof ACCESS_CHOICES

export const isAccessChoice = (text: string): text is AccessChoice => Object.hasOwn(ACCESS_CHOICES, text)

export const answerOfChoice = (choice: AccessChoice): Choice => ACCESS_CHOICES[choice]

export function choiceOf({ decision, scope }: Choice): AccessChoice {
  if (decision === 'deny' || scope === 'provider') return decision
  return `model_${decision}`
}
