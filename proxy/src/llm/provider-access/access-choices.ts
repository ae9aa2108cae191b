import { isDeepStrictEqual } from 'node:util'
import { LIMIT_PRESETS, type LimitPreset } from './limits.ts'
import type { AccessAnswer } from './ports.ts'

interface Choice {
  readonly decision: AccessAnswer['decision']
  readonly scope: AccessAnswer['scope']
  readonly limit: LimitPreset | null
  /** For whoever chose it. */
  readonly accepted: string
}

/** What a button of an access request's card answers, by the word that the button carries. */
export const ACCESS_CHOICES = {
  '1h': { decision: '1h', scope: 'provider', limit: null, accepted: 'Granted for 1 hour' },
  '24h': { decision: '24h', scope: 'provider', limit: null, accepted: 'Granted for 24 hours' },
  always: { decision: 'always', scope: 'provider', limit: null, accepted: 'Granted until you revoke it' },
  deny: { decision: 'deny', scope: 'provider', limit: null, accepted: 'Denied' },
  until: { decision: 'until', scope: 'provider', limit: null, accepted: 'Granted until a date' },
  model_until: {
    decision: 'until',
    scope: 'model',
    limit: null,
    accepted: 'Granted this model until a date',
  },
  model_1h: { decision: '1h', scope: 'model', limit: null, accepted: 'Granted this model for 1 hour' },
  model_24h: { decision: '24h', scope: 'model', limit: null, accepted: 'Granted this model for 24 hours' },
  model_always: {
    decision: 'always',
    scope: 'model',
    limit: null,
    accepted: 'Granted this model until you revoke it',
  },
  '24h_usd1': {
    decision: '24h',
    scope: 'provider',
    limit: 'usd1',
    accepted: 'Granted for 24 hours, for at most $1 a day',
  },
  always_usd1: {
    decision: 'always',
    scope: 'provider',
    limit: 'usd1',
    accepted: 'Granted for at most $1 a day, until you revoke it',
  },
  '24h_tokens200k': {
    decision: '24h',
    scope: 'provider',
    limit: 'tokens200k',
    accepted: 'Granted for 24 hours, for at most 200,000 tokens a day',
  },
  always_tokens200k: {
    decision: 'always',
    scope: 'provider',
    limit: 'tokens200k',
    accepted: 'Granted for at most 200,000 tokens a day, until you revoke it',
  },
  '24h_requests100': {
    decision: '24h',
    scope: 'provider',
    limit: 'requests100',
    accepted: 'Granted for 24 hours, for at most 100 requests',
  },
  always_requests100: {
    decision: 'always',
    scope: 'provider',
    limit: 'requests100',
    accepted: 'Granted for 100 requests',
  },
} as const satisfies Record<string, Choice>

export type AccessChoice = keyof typeof ACCESS_CHOICES

/** Undefined for a word that no button carries. */
export function answerOfChoice(word: string): AccessAnswer | undefined {
  if (!Object.hasOwn(ACCESS_CHOICES, word)) return undefined
  const { decision, scope, limit } = ACCESS_CHOICES[word as AccessChoice]
  return { decision, scope, ...(limit === null ? {} : { limits: LIMIT_PRESETS[limit] }) }
}

/** The word of an answer, whatever its terms. */
export const choiceOfAnswer = ({ decision, scope, models }: AccessAnswer): AccessChoice =>
  decision !== 'deny' && scope === 'model' && models === undefined ? `model_${decision}` : decision

/** What a person is told who has given this answer; terms that no button has are told by the grant itself. */
export function acceptedText({ decision, scope, limits }: AccessAnswer): string {
  const found = Object.values(ACCESS_CHOICES).find(
    (choice) =>
      choice.decision === decision &&
      choice.scope === scope &&
      isDeepStrictEqual(choice.limit === null ? undefined : LIMIT_PRESETS[choice.limit], limits),
  )
  return (found ?? ACCESS_CHOICES[decision]).accepted
}
