import { accountOf, channelOf, hasProved, type Principal, personOf } from '../identity/index.ts'
import { type ConsentHash, canonicalJson, oneLine, type Tx, type UnixMs } from '../kernel/index.ts'
import type { ApprovalChoice } from './approval-choice.ts'
import type { Decider, Verdict } from './decider.ts'
import type { ApprovalKind, ApprovalSubject, GivenApproval, RefusalReason } from './kind.ts'
import { type QuorumNow, type Requirement, tooFewText, type Vote } from './quorum/index.ts'

/** Narrowest first. */
const HOLDS = ['once', '1h', '24h', 'limited', 'forever'] as const

/** How a kind's answers are read back from votes. */
type AnswersOf<Subject extends ApprovalSubject, Answer> = Pick<
  ApprovalKind<ApprovalSubject, Answer, Subject>,
  'choices' | 'choiceOf' | 'readAnswer'
>

export interface Ballot<Subject, Answer> {
  readonly id: string
  readonly subject: Subject
  readonly consentHash: ConsentHash
  readonly answer: Answer
  /** Of the choice that the answer is one of. */
  readonly label: string
  readonly by: Principal
  readonly decider: Decider
  readonly requirement: Requirement
  readonly now: QuorumNow
  readonly at: UnixMs
  /** Where a passkey can be shown. */
  readonly page: string
}

export type Cast<Answer> =
  | { readonly cast: false; readonly reason: RefusalReason; readonly message: string }
  | {
      readonly cast: true
      /** Enough have said yes. */
      readonly isMet: boolean
      /** The narrowest of those that were given. */
      readonly answer: Answer
      readonly given: number
      readonly votes: readonly Vote[]
    }

/**
 * Keeps a person's yes, and tells whether enough have said it. What is given is never wider than any of them: of yeses to the same
 * thing the one that holds shortest; where they are to different things, such as other args or other limits, the later is refused.
 */
export async function castBallot<Subject extends ApprovalSubject, Answer>(
  tx: Tx,
  kind: AnswersOf<Subject, Answer>,
  ballot: Ballot<Subject, Answer>,
): Promise<Cast<Answer>> {
  const { id, subject, consentHash, answer, by, requirement, now } = ballot
  const refuse = (reason: RefusalReason, message: string) => ({ cast: false, reason, message }) as const
  const proved = hasProved(by, consentHash)
  if (requirement.risk === 'high' && !proved)
    return refuse('needs_passkey', needsPasskeyText(requirement, ballot.page))
  if (requirement.approvals > requirement.deciders)
    return refuse('quorum_unreachable', tooFewText(requirement.approvals, requirement.deciders))

  const account = accountOf(by)
  const person = personOf(account, now.persons)
  const vote: Vote = {
    ...{ requestId: id, person, account, name: ballot.decider.name, channel: channelOf(by) },
    ...{ consentHash, answer: answerText(answer), label: ballot.label, proved, createdAt: ballot.at },
  }
  // Where one yes is enough, what others said before is of no matter.
  const before = requirement.approvals === 1 ? [] : await tx.approvalVotes.of([id])
  const others = before.filter((other) => other.person !== person)
  const counted = now.count([...others, vote], { consentHash, risk: requirement.risk })
  // Who was a member when they pressed, and is none by now.
  if (!counted.votes.includes(vote)) return refuse('not_permitted', 'You may not decide this any more.')
  const offered = kind.choices(subject).flat()
  const answers = counted.votes.map(({ answer: text }) => JSON.parse(text) as Answer)
  const differing = answers.findIndex((other) => !isSameThing(kind, offered, answer, other))
  const first = counted.votes[differing]
  if (first !== undefined) {
    const firstVote = givenApproval(first)
    return refuse(
      'other_answer',
      `${firstVote.by} said yes to “${firstVote.answer}”, which is another thing: say the same, or deny.`,
    )
  }
  await tx.approvalVotes.put(vote)
  const [narrowest = answer] = answers.toSorted(
    (one, other) => breadth(kind, offered, one) - breadth(kind, offered, other),
  )
  return {
    ...{ cast: true, isMet: counted.persons >= requirement.approvals, answer: narrowest },
    ...{ given: counted.persons, votes: counted.votes },
  }
}

/** As JSON holds it: what is undefined is left out. */
const answerText = (answer: unknown): string => canonicalJson(JSON.parse(JSON.stringify(answer)))

type Offered = readonly ApprovalChoice[]
const choiceOf = <Answer>(kind: AnswersOf<never, Answer>, offered: Offered, answer: Answer) =>
  offered.find(({ choice }) => choice === kind.choiceOf(answer))

/** An answer that is no longer offered is wider than any. */
const breadth = <Answer>(kind: AnswersOf<never, Answer>, offered: Offered, answer: Answer): number => {
  const holds = choiceOf(kind, offered, answer)?.holds ?? null
  return holds === null ? HOLDS.length : HOLDS.indexOf(holds)
}

function isSameThing<Answer>(
  kind: AnswersOf<never, Answer>,
  offered: Offered,
  one: Answer,
  other: Answer,
): boolean {
  if (answerText(one) === answerText(other)) return true
  const [a, b] = [choiceOf(kind, offered, one), choiceOf(kind, offered, other)]
  if (a === undefined || b === undefined || a.scope !== b.scope) return false
  if (a.terms?.areNeeded || b.terms?.areNeeded) return false
  // Neither has terms of its own: nothing but how long they hold is different.
  const isPlain = (answer: Answer): boolean =>
    answerText(kind.readAnswer(kind.choiceOf(answer), { reason: null, terms: null })) === answerText(answer)
  return isPlain(one) && isPlain(other)
}

/** The yeses that counted, for the row of a verdict that took several: a receipt names them from there. */
export const votesRecord = <Answer>(
  { choiceOf }: Pick<ApprovalKind<ApprovalSubject, Answer>, 'choiceOf'>,
  votes: readonly Vote[],
): Verdict['record'] =>
  votes.length < 2
    ? {}
    : {
        votes: votes.map(({ account, name, channel, answer, proved }) => ({
          ...{ by: account, name, channel, proved },
          choice: choiceOf(JSON.parse(answer) as Answer),
        })),
      }

/** One yes, for whoever looks at the request. */
export const givenApproval = ({ name, account, channel, label, createdAt }: Vote): GivenApproval => ({
  ...{ by: oneLine(name ?? account, 64), channel, answer: oneLine(label, 64), at: createdAt },
})

/** For the person who said yes where that is not enough yet. */
export function stillNeededText({ given }: { readonly given: number }, { approvals }: Requirement): string {
  const missing = approvals - given
  return `Your yes counts: ${given} of ${approvals}. ${missing === 1 ? 'One more person has' : `${missing} more persons have`} to say yes.`
}

/** Which secrets, as far as that is known. */
export const highRiskText = ({ highRisk }: Requirement): string =>
  highRisk.length === 0 ? 'of high risk' : `of high risk for ${oneLine(highRisk.join(', '), 80)}`

const needsPasskeyText = (requirement: Requirement, page: string): string =>
  `It is ${highRiskText(requirement)}: a yes takes your passkey, at ${page} (sign in with oauth3 console; bind a passkey there if you have none).`
