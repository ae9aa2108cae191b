import type { DeciderAccount, DeciderChannel } from '../../identity/index.ts'
import type { ConsentHash, UnixMs } from '../../kernel/index.ts'

/** Of a secret, and of a request: the highest among the secrets that it names. High: a yes takes a passkey. */
export type Risk = 'normal' | 'high'
export type RuleScope = 'secret' | 'agent' | 'app' | 'tag'

/** What a yes takes for whatever the scope covers; a name without a rule takes one approval and is of normal risk. */
export interface ApprovalRule {
  readonly scope: RuleScope
  /** A secret's name whether it is stored or not, an agent's or an app's id, a tag of agents. */
  readonly name: string
  /** How many persons; 1: no more than usual. */
  readonly approvals: number
  /** Of secrets alone. */
  readonly risk: Risk
}

/** The yes of one person. */
export interface Vote {
  readonly requestId: string
  /** What is unique: one person has one vote, by however many accounts. */
  readonly person: DeciderAccount
  readonly account: DeciderAccount
  /** Chosen by the person. */
  readonly name: string | null
  readonly channel: DeciderChannel
  /** Of what they were shown. */
  readonly consentHash: ConsentHash
  /** Canonical JSON of the answer in the form of its kind. */
  readonly answer: string
  /** Of the choice, as the person read it. */
  readonly label: string
  /** Signed with a passkey. */
  readonly proved: boolean
  readonly createdAt: UnixMs
}

interface ApprovalRuleReader {
  /** By scope and name. */
  list(): Promise<readonly ApprovalRule[]>
}

export interface ApprovalRuleStore extends ApprovalRuleReader {
  put(rule: ApprovalRule): Promise<void>
  remove(of: Pick<ApprovalRule, 'scope' | 'name'>): Promise<void>
}

interface ApprovalVoteReader {
  /** Of these requests, in the order in which they were given. */
  of(requestIds: readonly string[]): Promise<readonly Vote[]>
}

export interface ApprovalVoteStore extends ApprovalVoteReader {
  /** In place of an earlier one of the same person. */
  put(vote: Vote): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly approvalRules: StorePort<ApprovalRuleReader, ApprovalRuleStore>
    readonly approvalVotes: StorePort<ApprovalVoteReader, ApprovalVoteStore>
  }
}
