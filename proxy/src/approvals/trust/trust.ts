import type { AuditLog } from '../../audit/index.ts'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  type CodeHash,
  type ConsentHash,
  type ReadTx,
  type RequestId,
  type Storage,
  sha256Hex,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import {
  type Consent,
  consentCode,
  differencesFrom,
  openConsent,
  type SealedConsent,
} from '../consent/index.ts'
import { type ClockGuard, describeTerms, type GrantLevel, type GrantTerms } from '../index.ts'

/** A stored approval: a row of `approvals`. It covers what its consent showed: no more and no less. */
export interface Grant {
  readonly id: number
  readonly skillId: string
  readonly codeHash: CodeHash
  readonly level: GrantLevel
  readonly anyArgs: boolean
  readonly consentJson: string
  readonly consentHash: ConsentHash
  readonly requestId: string
  readonly approvedBy: string
  readonly approvedAt: UnixMs
  /** Null: no end. */
  readonly expiresAt: UnixMs | null
  /** How many requests it may cover, the one that was approved with it among them; null: any number. */
  readonly maxUses: number | null
  /** How many it has covered so far. */
  readonly uses: number
  readonly lastUsedAt: UnixMs | null
  /** When it was used up, ran out or was revoked; null while it stands. */
  readonly endedAt: UnixMs | null
  readonly endedWhy: 'used' | 'expired' | 'revoked' | 'replaced' | null
}

interface GrantReader {
  activeGrants(skillId: string, codeHash: CodeHash): Promise<readonly Grant[]>
  /** Active grants, newest first; none is of level once. */
  listActiveGrants(): Promise<readonly Grant[]>
  /** The newest that stand or stood for more than once, whatever became of them. */
  listNewest(limit: number): Promise<readonly Grant[]>
  /** The newest active grant of the skill, whatever its code. */
  newestOfSkill(skillId: string): Promise<Grant | undefined>
  byId(id: number): Promise<Grant | undefined>
  byRequest(requestId: string): Promise<Grant | undefined>
  activeByScope(scopeHash: string): Promise<Grant | undefined>
  expiredBy(now: UnixMs): Promise<readonly Grant[]>
}

export interface GrantStore extends GrantReader {
  insert(grant: Omit<Grant, 'id'>, scopeHash: string): Promise<Grant>
  end(id: number, at: UnixMs, why: NonNullable<Grant['endedWhy']>): Promise<void>
  /** One use more; undefined where it has none left or has ended. Compare and set: the last one is taken once, whoever asks at once. */
  use(id: number, at: UnixMs): Promise<Grant | undefined>
  /** What is used up covers nothing any more, not even what it covered and has not begun. */
  revokeUsedUp(id: number, at: UnixMs): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly grants: StorePort<GrantReader, GrantStore>
  }
}

type TrustVerdict =
  | { readonly trusted: true; readonly grant: Grant }
  /** `changes` says how the request differs from the closest grant; empty when nothing was granted before. */
  | { readonly trusted: false; readonly changes: readonly string[] }

export interface Trust {
  /**
   * Whether a grant covers the request; if so, a use of it is taken. In the unit that approves the request, so that a use stands for
   * one request whatever becomes of it: none is given back, since a use that came back after a crash could be had twice.
   */
  take(tx: Tx, asked: Consent): Promise<TrustVerdict>
  /** Before what it covered begins: that grant, if it stands still, or another, of which a use is taken then; undefined: none covers it. */
  stillCovers(tx: Tx, grantId: number, asked: Consent): Promise<Grant | undefined>
  /** That a use of it was taken for this request, for the audit. */
  recordUse(tx: Tx, grant: Grant, requestId: RequestId): Promise<void>
  /** The same before the run begins that a grant was given with: whether that one was revoked meanwhile, or its time is over. */
  stillAllows(tx: Tx, request: { readonly requestId: string }): Promise<boolean>
  /** The verdict alone, with nothing ended or written on the way. */
  look(tx: ReadTx, asked: Consent): Promise<TrustVerdict>
  /** The grant that the changes of a verdict are told against; undefined when nothing was granted before. */
  closest(tx: ReadTx, asked: Consent): Promise<Grant | undefined>
  /** Consents that stand for this code under this skill id, whoever asks. */
  activeGrants(
    tx: ReadTx,
    skillId: string,
    codeHash: CodeHash,
  ): Promise<readonly Pick<SealedConsent, 'json' | 'hash'>[]>
  /** In the unit that decides. */
  grant(
    tx: Tx,
    input: {
      sealed: SealedConsent
      level: GrantLevel
      anyArgs: boolean
      /** Of level limited. */
      terms?: GrantTerms | null
      requestId: string
      actor: Actor
    },
  ): Promise<Grant>
  /** What stands, or the newest whatever became of them. */
  list(tx: ReadTx, which?: 'standing' | 'newest'): Promise<readonly Grant[]>
  /** Whatever became of it; throws not_found. */
  read(tx: ReadTx, id: number): Promise<Grant>
  /** Ends it at once, and what it covered and has not begun does not begin. Throws not_found. */
  revoke(id: number, actor: Actor): Promise<Grant>
  /** In the unit of what ends them all. */
  revokeAll(tx: Tx, actor: Actor): Promise<void>
  /** A request is denied after it was approved: ends what that granted. In the unit that denies. */
  takeBack(tx: Tx, request: { readonly requestId: string }, actor: Actor): Promise<void>
  /** Ends what has run out and remembers how late it is. */
  tick(): Promise<void>
}

/** Of a list of the newest. */
const NEWEST = 200
export const TRUST_24H_MS = 24 * 60 * 60 * 1_000

export function createTrust(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly clockGuard: ClockGuard
}): Trust {
  const { audit, storage, clock, clockGuard } = deps

  const isInTime = (grant: Grant, now: UnixMs): boolean =>
    clockGuard.stands(grant.approvedAt, grant.expiresAt, now)
  const stands = (grant: Grant, now: UnixMs): boolean =>
    grant.endedAt === null &&
    grant.level !== 'once' &&
    (grant.maxUses === null || grant.uses < grant.maxUses) &&
    isInTime(grant, now)
  /** Whether what it let through may begin: that it is used up ends it for others alone. */
  const letsBegin = (grant: Grant, now: UnixMs): boolean =>
    (grant.endedAt === null || isUsedUp(grant)) && isInTime(grant, now)
  const changesFrom = (grant: Grant, asked: Consent): readonly string[] =>
    differencesFrom(openConsent(grant.consentJson, grant.consentHash), asked, { anyArgs: grant.anyArgs })

  /** A grant that has run out is ended on disk before anybody hears so: no later clock brings it back. */
  const endExpired = async (tx: Tx, now: UnixMs): Promise<void> => {
    const expired = await tx.grants.expiredBy(now)
    if (expired.length === 0) return
    await clockGuard.seen(tx, now)
    for (const grant of expired) {
      await tx.grants.end(grant.id, now, 'expired')
      await audit.append(tx, 'trust.ended', 'daemon', grant.requestId, {
        grant: grant.id,
        skill_id: grant.skillId,
      })
    }
  }

  clockGuard.ends(endExpired)

  /** Of the grants for this very code the one with the fewest changes; else the newest of the skill. */
  const closest = async (tx: ReadTx, asked: Consent): Promise<ComparedGrant | undefined> => {
    const now = clock.now()
    let found: ComparedGrant | undefined
    for (const grant of await tx.grants.activeGrants(asked.skill_id, consentCode(asked))) {
      if (!stands(grant, now)) continue
      const changes = changesFrom(grant, asked)
      // No use is taken of one that counts them while another covers the request as well.
      if (changes.length === 0 && grant.maxUses === null) return { grant, changes }
      if (!found || changes.length < found.changes.length) found = { grant, changes }
    }
    if (found) return found
    const newest = await tx.grants.newestOfSkill(asked.skill_id)
    return newest && stands(newest, now) ? { grant: newest, changes: changesFrom(newest, asked) } : undefined
  }

  const look = async (tx: ReadTx, asked: Consent): Promise<TrustVerdict> => {
    const { grant, changes = [] } = (await closest(tx, asked)) ?? {}
    const isOfThisCode = grant?.codeHash === consentCode(asked)
    return grant && isOfThisCode && changes.length === 0
      ? { trusted: true, grant }
      : { trusted: false, changes }
  }

  const take: Trust['take'] = async (tx, asked) => {
    const now = clock.now()
    await endExpired(tx, now)
    const verdict = await look(tx, asked)
    if (!verdict.trusted) return verdict
    const grant = await tx.grants.use(verdict.grant.id, now)
    if (grant === undefined) return { trusted: false, changes: [] }
    await endUsedUp(tx, grant, now)
    return { trusted: true, grant }
  }

  const endUsedUp = async (tx: Tx, grant: Grant, now: UnixMs): Promise<void> => {
    const { id, maxUses, requestId, skillId, uses } = grant
    if (maxUses === null || uses < maxUses) return
    await tx.grants.end(id, now, 'used')
    await audit.append(tx, 'trust.ended', 'daemon', requestId, { grant: id, skill_id: skillId, why: 'used' })
  }

  return {
    async activeGrants(tx, skillId, codeHash) {
      const now = clock.now()
      return (await tx.grants.activeGrants(skillId, codeHash))
        .filter((grant) => stands(grant, now))
        .map(({ consentJson: json, consentHash: hash }) => ({ json, hash }))
    },

    take,
    async stillCovers(tx, grantId, asked) {
      const now = clock.now()
      await endExpired(tx, now)
      const own = await tx.grants.byId(grantId)
      if (own !== undefined && letsBegin(own, now) && changesFrom(own, asked).length === 0) return own
      const verdict = await take(tx, asked)
      return verdict.trusted ? verdict.grant : undefined
    },
    async recordUse(tx, { id, level, maxUses, uses }, requestId) {
      await audit.append(tx, 'trust.used', 'daemon', requestId, {
        ...{ grant: id, level },
        ...(maxUses === null ? {} : { use: uses, max_uses: maxUses }),
      })
    },
    async stillAllows(tx, { requestId }) {
      const now = clock.now()
      await endExpired(tx, now)
      const own = await tx.grants.byRequest(requestId)
      if (own === undefined || own.level === 'once' || own.endedWhy === 'replaced') return true
      return letsBegin(own, now)
    },
    look,
    closest: async (tx, asked) => (await closest(tx, asked))?.grant,

    async grant(tx, { sealed, level, anyArgs, terms = null, requestId, actor }) {
      const now = clock.now()
      await clockGuard.lowerWatermark(tx, now)
      const scopeHash = sha256Hex(`${sealed.hash}\n${anyArgs}`)
      const before = level === 'once' ? undefined : await tx.grants.activeByScope(scopeHash)
      if (before) await tx.grants.end(before.id, now, 'replaced')
      const grant = await tx.grants.insert(
        {
          skillId: sealed.consent.skill_id,
          codeHash: consentCode(sealed.consent),
          level,
          anyArgs,
          consentJson: sealed.json,
          consentHash: sealed.hash,
          requestId,
          approvedBy: actor,
          approvedAt: now,
          expiresAt: level === '24h' ? now + TRUST_24H_MS : (terms?.until ?? null),
          maxUses: terms?.uses ?? null,
          // The run that is approved now is the first.
          uses: 1,
          lastUsedAt: now,
          // A single run is used up by the very decision that allows it.
          endedAt: level === 'once' ? now : null,
          endedWhy: level === 'once' ? 'used' : null,
        },
        scopeHash,
      )
      if (level !== 'once') {
        await audit.append(tx, 'trust.granted', actor, requestId, {
          grant: grant.id,
          level,
          any_args: anyArgs,
          skill_id: grant.skillId,
          code_hash: grant.codeHash,
          consent_hash: grant.consentHash,
          ...(terms === null ? {} : { limits: describeTerms(terms) }),
        })
        await endUsedUp(tx, grant, now)
      }
      return grant
    },

    async list(tx, which = 'standing') {
      if (which === 'newest') return await tx.grants.listNewest(NEWEST)
      const now = clock.now()
      return (await tx.grants.listActiveGrants()).filter((grant) => stands(grant, now))
    },
    read: async (tx, id) => present(await tx.grants.byId(id), id),

    async revoke(id, actor) {
      return await storage.transaction(async (tx) => {
        const grant = await tx.grants.byId(id)
        if (grant === undefined || !isRevocable(grant))
          throw new AppError('not_found', `No active grant ${id}.`)
        await revokeOne(tx, grant, actor)
        return present(await tx.grants.byId(id), id)
      })
    },

    async revokeAll(tx, actor) {
      for (const grant of await tx.grants.listActiveGrants()) await revokeOne(tx, grant, actor)
    },

    async takeBack(tx, { requestId }, actor) {
      const grant = await tx.grants.byRequest(requestId)
      if (grant !== undefined && isRevocable(grant)) await revokeOne(tx, grant, actor)
    },

    async tick() {
      const now = clock.now()
      // Nothing is due nearly always, and a unit that writes holds up all others of its tenant.
      const due = await storage.read((tx) => tx.grants.expiredBy(now))
      if (due.length > 0) await storage.transaction((tx) => endExpired(tx, now))
      await clockGuard.tick()
    },
  }

  async function revokeOne(tx: Tx, grant: Grant, actor: Actor): Promise<void> {
    const { id, requestId, skillId } = grant
    if (isUsedUp(grant)) await tx.grants.revokeUsedUp(id, clock.now())
    else await tx.grants.end(id, clock.now(), 'revoked')
    await audit.append(tx, 'trust.revoked', actor, requestId, { grant: id, skill_id: skillId })
  }
}

interface ComparedGrant {
  readonly grant: Grant
  readonly changes: readonly string[]
}

/** What it covered may still wait for its turn. */
const isUsedUp = ({ endedWhy, maxUses }: Grant): boolean => endedWhy === 'used' && maxUses !== null
const isRevocable = (grant: Grant): boolean =>
  isUsedUp(grant) || (grant.endedAt === null && grant.level !== 'once')

function present(grant: Grant | undefined, id: number): Grant {
  if (grant === undefined) throw new AppError('not_found', `No grant ${id}.`)
  return grant
}
