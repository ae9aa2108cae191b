/** How long an approval of code stands. */
export type GrantLevel = 'once' | '24h' | 'forever'

/** What a person can answer. The `any args` forms are separate, explicit choices. */
export const DECISIONS = {
  once: { approves: true, level: 'once', anyArgs: false },
  deny: { approves: false },
  trust24h: { approves: true, level: '24h', anyArgs: false },
  forever: { approves: true, level: 'forever', anyArgs: false },
  trust24h_any: { approves: true, level: '24h', anyArgs: true },
  forever_any: { approves: true, level: 'forever', anyArgs: true },
} as const satisfies Record<
  string,
  { approves: false } | { approves: true; level: GrantLevel; anyArgs: boolean }
>

export type DecisionKind = keyof typeof DECISIONS

export const isDecisionKind = (text: string): text is DecisionKind => Object.hasOwn(DECISIONS, text)
