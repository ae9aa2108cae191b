/** Who answers, and where from. */
export type Approver =
  | { readonly via: 'telegram'; readonly userId: string; readonly chatId: string; readonly name: string }
  | { readonly via: 'cli'; readonly userId: string; readonly name: string }

export const actorOf = (approver: Approver): string => `${approver.via}:${approver.userId}`

/** How a decision is recorded: `telegram:1001` and the name that goes with it. */
export interface Decider {
  readonly actor: string
  readonly name: string | null
}
