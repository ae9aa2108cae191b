import type { ApprovalChoice } from './approval-choice.ts'

/** How long an approval of code stands; limited: for so many uses, until a date, or both. */
export type GrantLevel = 'once' | '24h' | 'forever' | 'limited'

/** What a person can answer to a program. The `any args` forms are separate, explicit choices. */
export const DECISIONS = {
  once: { approves: true, level: 'once', anyArgs: false },
  deny: { approves: false },
  trust24h: { approves: true, level: '24h', anyArgs: false },
  forever: { approves: true, level: 'forever', anyArgs: false },
  trust24h_any: { approves: true, level: '24h', anyArgs: true },
  forever_any: { approves: true, level: 'forever', anyArgs: true },
  limited: { approves: true, level: 'limited', anyArgs: false },
  limited_any: { approves: true, level: 'limited', anyArgs: true },
} as const satisfies Record<
  string,
  { approves: false } | { approves: true; level: GrantLevel; anyArgs: boolean }
>

export type DecisionKind = keyof typeof DECISIONS

export const isDecisionKind = (text: string): text is DecisionKind => Object.hasOwn(DECISIONS, text)

interface ProgramChoice extends ApprovalChoice {
  readonly choice: DecisionKind
}

/** "Any args" is offered where a person saw args; without any it would allow what nobody was shown. */
export const programChoices = (hasArgs: boolean): readonly (readonly ProgramChoice[])[] => [
  [
    { choice: 'once', label: '✅ Run Once', holds: 'once' },
    { choice: 'deny', label: '❌ Deny', holds: null, takesReason: true },
  ],
  [
    { choice: 'trust24h', label: '⏱ Trust 24h', holds: '24h' },
    { choice: 'forever', label: '♾ Always Trust', holds: 'forever' },
  ],
  ...(hasArgs
    ? [
        [
          { choice: 'trust24h_any', label: '⏱ 24h, any args', holds: '24h', scope: 'any_args' } as const,
          {
            choice: 'forever_any',
            label: '♾ Always, any args',
            holds: 'forever',
            scope: 'any_args',
          } as const,
        ],
      ]
    : []),
  // Without a button: a number and a date are not pressed.
  [
    limitedChoice('limited', '⏳ With limits'),
    ...(hasArgs ? [{ ...limitedChoice('limited_any', '⏳ With limits, any args'), scope: 'any_args' }] : []),
  ],
]

const limitedChoice = (choice: DecisionKind, label: string): ProgramChoice => ({
  ...{ choice, label, holds: 'limited' },
  terms: { names: ['uses', 'until'], areNeeded: true },
})
