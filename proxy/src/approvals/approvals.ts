import type { AuditLog } from '../audit/index.ts'
import { channelOf, type Principal, type Requester, type Requesters } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  type EventPublisher,
  type ReadTx,
  type Storage,
  type Tx,
} from '../kernel/index.ts'
import { mayReachHost, whyUnanswerable } from './answerable.ts'
import type { ApprovalOutcome } from './approval-card.ts'
import { type ApprovalEvent, canSettle, type Ending } from './approval-state.ts'
import { castBallot, stillNeededText, votesRecord } from './ballot.ts'
import { deciderOf, namedWith, proofOf, verdictBy } from './decider.ts'
import { type Deadline, isOver } from './expiry.ts'
import { type AgainOutcome, createFollowUps } from './follow-ups.ts'
import type {
  AnswerDetails,
  ApprovalDetail,
  ApprovalKind,
  ApprovalSubject,
  ApprovalView,
  ComparedText,
  DecisionOutcome,
  ListFilter,
  RefusalReason,
} from './kind.ts'
import { createKindViews } from './kind-views.ts'
import type { Quorum } from './quorum/index.ts'
import { createWaitingLimit, type WaitingLimit } from './waiting-limit.ts'

/** One kind's requests, for whoever knows its rows and answers. */
export interface KindApprovals<Subject, Answer> {
  /** One was stored: a person is to be asked. In the unit that stores it. */
  requested(tx: Tx, subject: Subject): Promise<void>
  /** Inside the deciding unit; throws not_found. */
  decide(
    tx: Tx,
    id: string,
    shownHash: string,
    answer: Answer,
    by: Principal,
  ): Promise<DecisionOutcome<Subject>>
  /** Throws conflict for what its state does not allow. */
  end(tx: Tx, subject: Subject, ending: Ending): Promise<Subject>
}

/** Requests for approval of every kind: the one place that decides, whichever channel the answer came by. */
export interface Approvals {
  /** Once for each kind. */
  register<Row extends ApprovalSubject, Answer, Subject extends Row>(
    kind: ApprovalKind<Row, Answer, Subject>,
  ): KindApprovals<Subject, Answer>
  find(tx: ReadTx, id: string): Promise<ApprovalView | undefined>
  /** The full id, by an unambiguous beginning of it, with the prefix of its kind or without; throws not_found or invalid_request. */
  resolve(tx: ReadTx, idOrBeginning: string): Promise<string>
  /** Of every kind: what waits, least time left first, or the newest first. */
  list(tx: ReadTx, filter: Pick<ListFilter, 'requester' | 'which'>): Promise<readonly ApprovalView[]>
  /** Throws not_found, as the two below do. */
  detail(tx: ReadTx, id: string): Promise<ApprovalDetail>
  card(tx: ReadTx, id: string): Promise<ApprovalDetail['card']>
  outcome(tx: ReadTx, id: string): Promise<ApprovalOutcome>
  compared(tx: ReadTx, id: string): Promise<readonly ComparedText[]>
  /** Expiry: until when a request for approval that is stored now waits for a person (OAUTH3_APPROVAL_TTL). */
  deadline(): Deadline
  /** What who asks may ask, of all kinds together. */
  readonly limit: WaitingLimit
  /**
   * A person has chosen, by the word of a choice. Undefined for a word that its kind does not have; throws not_found, or
   * invalid_request for details that it does not take.
   */
  choose(
    tx: Tx,
    id: string,
    shownHash: string,
    choice: string,
    by: Principal,
    details?: AnswerDetails,
  ): Promise<DecisionOutcome<ApprovalSubject> | undefined>
  /** A person has what expired asked once more; see `FollowUps`. */
  askAgain(tx: Tx, id: string, shownHash: string, by: Principal): Promise<AgainOutcome>
  /** Who asks was revoked: nobody has to answer it any more. In the unit that revokes. */
  requesterRevoked(tx: Tx, requester: Requester, by: Ending['by']): Promise<void>
  /** Ends whatever waits, whoever asks. In the unit of what ends it. */
  withdrawAll(tx: Tx, by: Ending['by'], why: string): Promise<void>
  /** Reminds of what nobody answers, and expires what nobody answered. */
  tick(): Promise<void>
}

/** Of one kind. */
const LIST_LIMITS = { waiting: 1_000, newest: 200 } as const
/** More than one requester may have waiting. */
const ALL = 10_000

export function createApprovals(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly events: EventPublisher<ApprovalEvent>
  readonly quorum: Pick<Quorum, 'now'>
  readonly requesters: Pick<Requesters, 'nameOf'>
  /** The address of the console's page of a request. */
  readonly pageOf: (id: string) => string
  /** How long a request waits for a person. */
  readonly approvalTtlMs: number
  /** How many requests of one agent, or of one app, may wait for a person at once. */
  readonly maxWaitingPerAgent: number
  /** While it holds nothing is asked and nothing approved. */
  readonly lockdown: { assertOpen(): void }
}): Approvals {
  const { audit, clock, events, storage } = deps
  /** By what their ids begin with. */
  const kinds = new Map<string, RegisteredKind>()
  const kindOf = (id: string): RegisteredKind | undefined => kinds.get(id.slice(0, id.indexOf('_') + 1))

  const limit = createWaitingLimit({
    ...deps,
    async countWaiting(tx, requester) {
      const now = clock.now()
      let sum = 0
      for (const kind of kinds.values()) sum += await kind.countWaiting(tx, requester, now)
      return sum
    },
  })

  return {
    register<Row extends ApprovalSubject, Answer, Subject extends Row>(
      kind: ApprovalKind<Row, Answer, Subject>,
    ): KindApprovals<Subject, Answer> {
      if (kinds.has(kind.idPrefix)) throw new Error(`two kinds of approval take ${kind.idPrefix}`)
      const of = forKind(kind)
      kinds.set(kind.idPrefix, of)
      return of
    },
    find: async (tx, id) => kindOf(id)?.find(tx, id),
    async resolve(tx, text) {
      const asked = kindOf(text)
      const found: string[] = []
      for (const kind of asked ? [asked] : kinds.values())
        found.push(...(await kind.idsBeginning(tx, asked ? text : `${kind.idPrefix}${text}`)))
      const [only] = found
      if (only === undefined) {
        throw new AppError('not_found', `No request ${text}. Ids begin with ${[...kinds.keys()].join(', ')}.`)
      }
      if (found.length > 1 && only !== text)
        throw new AppError('invalid_request', `"${text}" fits more than one request.`)
      return only
    },
    async list(tx, filter) {
      const found: ApprovalView[] = []
      const limit = LIST_LIMITS[filter.which]
      for (const kind of kinds.values()) found.push(...(await kind.list(tx, { ...filter, limit })))
      return filter.which === 'newest'
        ? found.sort((one, other) => other.createdAt - one.createdAt).slice(0, limit)
        : found.filter(({ isWaiting }) => isWaiting).sort((one, other) => one.expiresAt - other.expiresAt)
    },
    detail: async (tx, id) => present(kindOf(id)).detail(tx, id),
    card: async (tx, id) => present(kindOf(id)).card(tx, id),
    outcome: async (tx, id) => present(kindOf(id)).outcome(tx, id),
    compared: async (tx, id) => present(kindOf(id)).compared(tx, id),
    deadline() {
      const createdAt = clock.now()
      return { createdAt, expiresAt: createdAt + deps.approvalTtlMs }
    },
    limit,
    choose: async (tx, id, shownHash, choice, by, details = { reason: null, terms: null }) =>
      present(kindOf(id)).choose(tx, id, shownHash, choice, by, details),
    askAgain: async (tx, id, shownHash, by) => present(kindOf(id)).askAgain(tx, id, shownHash, by),
    async requesterRevoked(tx, requester, by) {
      for (const kind of kinds.values())
        await kind.withdraw(tx, { requester }, by, `${requester.kind} revoked`)
    },
    async withdrawAll(tx, by, why) {
      for (const kind of kinds.values()) await kind.withdraw(tx, {}, by, why)
    },
    async tick() {
      for (const kind of kinds.values()) await kind.tick()
    },
  }

  function forKind<Row extends ApprovalSubject, Answer, Subject extends Row>(
    kind: ApprovalKind<Row, Answer, Subject>,
  ): RegisteredKind & KindApprovals<Subject, Answer> {
    const found = async (tx: ReadTx, id: string): Promise<Subject> => present(await kind.find(tx, id))
    const views = createKindViews(kind, deps)
    const settled = async (tx: Tx, before: Subject, write: Promise<Subject>): Promise<Subject> => {
      const after = await write
      const state = kind.stateOf(after)
      if (!canSettle(kind.stateOf(before), state) || state === 'pending')
        throw new AppError('conflict', `The request is ${kind.statusOf(before)} and cannot become ${state}.`)
      await events.publish(tx, {
        type: 'approval.settled',
        id: kind.idOf(after),
        requester: kind.requesterOf(after),
        state,
      })
      return after
    }
    const end: KindApprovals<Subject, Answer>['end'] = async (tx, subject, ending) => {
      if (!canSettle(kind.stateOf(subject), ending.to))
        throw new AppError(
          'conflict',
          `The request is ${kind.statusOf(subject)} and cannot become ${ending.to}.`,
        )
      return await settled(tx, subject, kind.end(tx, subject, ending))
    }

    /** The decision, its effect and its audit are one, and so are a refusal and its audit. */
    const decide: KindApprovals<Subject, Answer>['decide'] = async (tx, id, shownHash, answer, by) => {
      const subject = await found(tx, id)
      const decider = deciderOf(by)
      const refuse = async (
        reason: RefusalReason,
        message: string,
        now = subject,
      ): Promise<DecisionOutcome<Subject>> => {
        const { requestId, data } = kind.auditOf(subject)
        const decision = kind.nameOf(answer)
        await audit.append(tx, 'approval.refused', decider.actor, requestId, { ...data, decision, reason })
        return { accepted: false, reason, subject: now, message }
      }
      const unanswerable = whyUnanswerable(kind, tx.tenant, subject, shownHash, by)
      if (unanswerable) return await refuse(unanswerable.reason, unanswerable.message)
      const word = kind.choiceOf(answer)
      const choice = kind
        .choices(subject)
        .flat()
        .find((offered) => offered.choice === word)
      if (choice === undefined) return await refuse('not_offered', NOT_OFFERED)
      const to = choice.holds === null ? 'denied' : 'approved'
      if (to === 'approved') deps.lockdown.assertOpen()
      const state = kind.stateOf(subject)
      if (!kind.isWaiting(subject) || !canSettle(state, to)) {
        return state === 'expired'
          ? await refuse('expired', EXPIRED)
          : await refuse('already_decided', kind.settledText(subject))
      }
      if (isOver(subject, clock.now()))
        return await refuse('expired', EXPIRED, await end(tx, subject, { to: 'expired', by: null }))
      if (to === 'denied') {
        const denied = await settled(
          tx,
          subject,
          kind.settle(tx, subject, answer, verdictBy(by, kind.contentHash(subject))),
        )
        return { accepted: true, subject: denied, message: kind.acceptedText(denied, answer) }
      }
      if (kind.reachesHost?.(subject) === true && !mayReachHost(tx.tenant, by))
        return await refuse('reaches_host', REACHES_HOST)
      // Evaluated where it is decided: a rule that was made after the card was shown holds as well.
      const now = await deps.quorum.now(tx)
      const requirement = await views.requirementOf(tx, now, subject)
      kind.assertGivable?.(subject, answer)
      const cast = await castBallot(tx, kind, {
        ...{ id, subject, consentHash: kind.contentHash(subject), answer, by, decider, requirement, now },
        ...{ label: choice.label, at: clock.now(), page: deps.pageOf(id) },
      })
      if (!cast.cast) return await refuse(cast.reason, cast.message)
      if (requirement.approvals > 1 || requirement.risk === 'high') {
        const { requestId, data } = kind.auditOf(subject)
        await audit.append(tx, 'approval.voted', decider.actor, requestId, {
          ...{ ...data, decision: kind.nameOf(answer), consent_hash: shownHash, channel: channelOf(by) },
          ...{ proved: requirement.risk === 'high', given: cast.given, needed: requirement.approvals },
          ...(cast.isMet ? {} : proofOf(by)),
        })
      }
      if (!cast.isMet) {
        await events.publish(tx, { type: 'approval.voted', id, requester: kind.requesterOf(subject) })
        return { accepted: true, subject, message: stillNeededText(cast, requirement) }
      }
      const verdict = verdictBy(by, kind.contentHash(subject), votesRecord(kind, cast.votes))
      const together = { ...verdict, ...namedWith(decider, cast.votes) }
      const after = await settled(tx, subject, kind.settle(tx, subject, cast.answer, together))
      return { accepted: true, subject: after, message: kind.acceptedText(after, cast.answer) }
    }

    const requested = (tx: Tx, subject: Subject): Promise<void> =>
      events.publish(tx, {
        ...{ type: 'approval.requested', id: kind.idOf(subject), requester: kind.requesterOf(subject) },
      })
    const followUps = createFollowUps(kind, { ...deps, limit, requested })

    return {
      ...{ idPrefix: kind.idPrefix, decide, end, requested, askAgain: followUps.askAgain },
      idsBeginning: kind.idsBeginning,
      countWaiting: kind.countWaiting,
      async find(tx, id) {
        const subject = await kind.find(tx, id)
        return subject && views.one(tx, subject)
      },
      list: async (tx, filter) => views.all(tx, await kind.list(tx, filter)),
      detail: async (tx, id) => views.detail(tx, await found(tx, id)),
      card: async (tx, id) => views.card(tx, await found(tx, id)),
      outcome: async (tx, id) => views.outcome(await found(tx, id)),
      compared: async (tx, id) => views.compared(tx, await found(tx, id)),
      async choose(tx, id, shownHash, choice, by, details) {
        const answer = kind.readAnswer(choice, details)
        return answer === undefined ? undefined : await decide(tx, id, shownHash, answer, by)
      },
      async withdraw(tx, of, by, why) {
        for (const row of await kind.list(tx, { ...of, which: 'waiting', limit: ALL }))
          await end(tx, await found(tx, kind.idOf(row)), { to: 'cancelled', by, why })
      },
      async tick() {
        await followUps.remind()
        const now = clock.now()
        const isDue = (subject: Subject | undefined): subject is Subject =>
          subject !== undefined && kind.isWaiting(subject) && isOver(subject, now)
        const due = await storage.read((tx) => kind.overdue(tx, now))
        if (due.length === 0) return
        await storage.transaction(async (tx) => {
          for (const row of due) {
            // It may have been answered since it was read.
            const subject = await kind.find(tx, kind.idOf(row))
            if (isDue(subject)) await end(tx, subject, { to: 'expired', by: null })
          }
        })
      },
    }
  }
}

/** By its own types it is known inside only. */
interface RegisteredKind
  extends Pick<Approvals, 'find' | 'detail' | 'card' | 'outcome' | 'compared' | 'askAgain' | 'tick'>,
    Pick<ApprovalKind<ApprovalSubject, never>, 'idPrefix' | 'idsBeginning' | 'countWaiting'> {
  list(tx: ReadTx, filter: ListFilter): Promise<readonly ApprovalView[]>
  withdraw(tx: Tx, of: Pick<ListFilter, 'requester'>, by: Ending['by'], why: string): Promise<void>
  choose(
    tx: Tx,
    id: string,
    shownHash: string,
    choice: string,
    by: Principal,
    details: AnswerDetails,
  ): Promise<DecisionOutcome<ApprovalSubject> | undefined>
}

function present<T>(found: T | undefined): T {
  if (found === undefined) throw new AppError('not_found', 'Nothing of this id was asked.')
  return found
}

const EXPIRED = 'Expired: nothing was decided.'
const REACHES_HOST =
  'It names an address that is not public: whoever runs the daemon may approve it, with oauth3 on its machine.'
const NOT_OFFERED = 'This answer is not offered for this request.'
