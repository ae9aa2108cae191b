/** An answer that is offered: a button, or the options of a command. */
export interface ApprovalChoice {
  /** The word by which a channel answers so. */
  readonly choice: string
  readonly label: string
  /** How long the yes holds; null: it is the no. */
  readonly holds: 'once' | '1h' | '24h' | 'forever' | 'limited' | null
  /** In which way it gives another thing than was asked, such as `any_args`; left out: just that. Of each `holds` at most one has none. */
  readonly scope?: string
  /** What the yes covers, in words. */
  readonly gives?: string
  /** A reason goes with it, which the agent is told. */
  readonly takesReason?: true
  /** Which terms it takes; where they are needed, it is no answer without one of them, and no button. */
  readonly terms?: { readonly names: readonly string[]; readonly areNeeded?: true }
}

/** Rows of buttons. */
export type ApprovalChoices = readonly (readonly ApprovalChoice[])[]

/** Those that are answered by a word alone, which a button can carry. */
export const buttonChoices = <Choice extends Pick<ApprovalChoice, 'terms'>>(
  choices: readonly (readonly Choice[])[],
): readonly (readonly Choice[])[] =>
  choices.map((row) => row.filter(({ terms }) => terms?.areNeeded !== true)).filter((row) => row.length > 0)
