import type { AuditLog } from '../../audit/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import {
  type Actor,
  countDeciders,
  countPersons,
  isDecider,
  type Memberships,
  type OwnerIs,
  type Persons,
  type Requester,
} from '../../identity/index.ts'
import { AppError, type ConsentHash, type ReadTx, type Tx } from '../../kernel/index.ts'
import type { ApprovalRule, Risk, Vote } from './ports.ts'

/** What a yes to one request takes, by the rules of this moment. */
export interface Requirement {
  readonly risk: Risk
  /** The secrets that make the risk high; empty where it could not be told which it names. */
  readonly highRisk: readonly string[]
  /** How many persons have to say yes. */
  readonly approvals: number
  /** How many persons may; fewer than `approvals`: nobody can say yes. */
  readonly deciders: number
}

/** The rules, and who may decide, at one moment. */
export interface QuorumNow {
  readonly persons: Persons
  /** `secrets`: the names of those that a yes lets be used; asked for only where a rule is about any. */
  require(requester: Requester, secrets: () => Promise<readonly string[]>): Promise<Requirement>
  /**
   * The votes that count by now: for this very consent, of those who may still decide, signed where the risk is high by now;
   * `persons` is how many stand behind them.
   */
  count(
    votes: readonly Vote[],
    of: { readonly consentHash: ConsentHash; readonly risk: Risk },
  ): { readonly votes: readonly Vote[]; readonly persons: number }
}

export interface Quorum {
  now(tx: ReadTx): Promise<QuorumNow>
  list(tx: ReadTx): Promise<readonly ApprovalRule[]>
  /** How many persons may decide for certain, and which of the approvers the owner is. */
  deciders(tx: ReadTx): Promise<{ readonly count: number; readonly ownerIs: OwnerIs }>
  /** Throws `conflict` for more approvals than there are persons who may give them. */
  setApprovals(tx: Tx, of: RuleKey, approvals: number, actor: Actor): Promise<ApprovalRule>
  /** Of a secret's name, whether a value is stored or not. */
  setRisk(tx: Tx, secret: string, risk: Risk, actor: Actor): Promise<void>
  /** Throws `conflict` for an account that may not decide. */
  setOwner(tx: Tx, ownerIs: OwnerIs, actor: Actor): Promise<void>
  /** The new name takes at least what the old one took; the old one goes on to take it. */
  secretRenamed(tx: Tx, from: string, to: string, actor: Actor): Promise<void>
  /** Its rule goes with it: whoever is given its name has none, and a list would show one for them. */
  requesterRevoked(tx: Tx, requester: Requester, actor: Actor): Promise<void>
}

type RuleKey = Pick<ApprovalRule, 'scope' | 'name'>

const OWNER_KEY = 'quorum_owner'
const keyOf = ({ scope, name }: RuleKey): string => `${scope} ${name}`

export function createQuorum(deps: {
  readonly memberships: Memberships
  readonly agents: Pick<Agents, 'byId'>
  readonly audit: Pick<AuditLog, 'append'>
}): Quorum {
  const { audit } = deps
  const personsOf = async (tx: ReadTx): Promise<Persons> => ({
    approvers: deps.memberships.approversOf(tx.tenant),
    ownerIs: ((await tx.meta.get(OWNER_KEY)) as OwnerIs | undefined) ?? 'unknown',
  })
  const ruleOf = async (tx: ReadTx, { scope, name }: RuleKey): Promise<ApprovalRule> =>
    (await tx.approvalRules.list()).find((rule) => rule.scope === scope && rule.name === name) ?? {
      ...{ scope, name, approvals: 1, risk: 'normal' },
    }
  /** A rule that asks for no more than usual is none. */
  const write = async (tx: Tx, rule: ApprovalRule, actor: Actor): Promise<void> => {
    const before = await ruleOf(tx, rule)
    if (before.approvals === rule.approvals && before.risk === rule.risk) return
    const { scope, name, approvals, risk } = rule
    if (approvals === 1 && risk === 'normal') await tx.approvalRules.remove(rule)
    else await tx.approvalRules.put(rule)
    if (before.approvals !== approvals)
      await audit.append(tx, 'quorum.set', actor, null, { scope, name, approvals, was: before.approvals })
    if (before.risk !== risk)
      await audit.append(tx, 'secret.risk_set', actor, null, { name, risk, was: before.risk })
  }

  return {
    async now(tx) {
      const rules = await tx.approvalRules.list()
      const persons = await personsOf(tx)
      const deciders = countDeciders(persons)
      const ofSecrets = rules.filter(({ scope }) => scope === 'secret')
      const byKey = new Map(rules.map((rule) => [keyOf(rule), rule]))
      return {
        persons,
        async require({ kind, id }, secrets) {
          const tags = kind === 'agent' ? (deps.agents.byId(id)?.tags ?? []) : []
          const named = ofSecrets.length === 0 ? [] : await secrets().catch(() => undefined)
          const covering = [
            byKey.get(keyOf({ scope: kind, name: id })),
            ...tags.map((name) => byKey.get(keyOf({ scope: 'tag', name }))),
            // Fail closed: of what cannot be read any more nobody knows which secrets it names, so it may be all of them.
            ...(named?.map((name) => byKey.get(keyOf({ scope: 'secret', name }))) ?? ofSecrets),
          ].filter((rule) => rule !== undefined)
          const high = covering.filter(({ risk }) => risk === 'high').map(({ name }) => name)
          return {
            risk: high.length === 0 ? 'normal' : 'high',
            highRisk: named === undefined ? [] : [...new Set(high)].sort(),
            approvals: Math.max(1, ...covering.map(({ approvals }) => approvals)),
            deciders,
          }
        },
        count(votes, { consentHash, risk }) {
          const counted = votes.filter(
            (vote) =>
              vote.consentHash === consentHash &&
              (vote.proved || risk === 'normal') &&
              isDecider(vote.account, persons),
          )
          return {
            votes: counted,
            persons: countPersons(
              counted.map(({ person }) => person),
              persons,
            ),
          }
        },
      }
    },

    list: (tx) => tx.approvalRules.list(),
    async deciders(tx) {
      const persons = await personsOf(tx)
      return { count: countDeciders(persons), ownerIs: persons.ownerIs }
    },

    async setApprovals(tx, of, approvals, actor) {
      const deciders = countDeciders(await personsOf(tx))
      if (approvals > deciders) throw new AppError('conflict', tooFewText(approvals, deciders))
      const rule = { ...(await ruleOf(tx, of)), approvals }
      await write(tx, rule, actor)
      return rule
    },

    async setRisk(tx, name, risk, actor) {
      await write(tx, { ...(await ruleOf(tx, { scope: 'secret', name })), risk }, actor)
    },

    async setOwner(tx, ownerIs, actor) {
      const { approvers, ownerIs: was } = await personsOf(tx)
      const isKnown =
        ownerIs === 'unknown' || ownerIs === 'separate' || isDecider(ownerIs, { approvers, ownerIs })
      if (!isKnown) throw new AppError('conflict', `${ownerIs} is no approver of this tenant.`)
      await tx.meta.set(OWNER_KEY, ownerIs)
      await audit.append(tx, 'quorum.owner_set', actor, null, { owner: ownerIs, was })
    },

    async secretRenamed(tx, from, to, actor) {
      const [before, there] = [
        await ruleOf(tx, { scope: 'secret', name: from }),
        await ruleOf(tx, { scope: 'secret', name: to }),
      ]
      const approvals = Math.max(before.approvals, there.approvals)
      const risk = before.risk === 'high' ? 'high' : there.risk
      await write(tx, { ...there, approvals, risk }, actor)
    },

    requesterRevoked: (tx, { kind, id }, actor) =>
      write(tx, { scope: kind, name: id, approvals: 1, risk: 'normal' }, actor),
  }
}

/** Why nobody can say yes, and what to do about it. */
export function tooFewText(approvals: number, deciders: number): string {
  const who = deciders === 1 ? 'only one person' : `only ${deciders} persons`
  return `${approvals} approvals are asked for, and ${who} may give them for certain. Name more in TELEGRAM_APPROVER_IDS, or say who the owner is: oauth3 quorum owner.`
}
