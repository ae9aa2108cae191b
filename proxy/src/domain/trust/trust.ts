import {
  AppError,
  type Clock,
  type CodeHash,
  type ConsentHash,
  sha256Hex,
  type UnixMs,
} from '../../kernel/index.ts'
import type { ClockGuard, GrantLevel } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import {
  type Consent,
  consentCode,
  differencesFrom,
  openConsent,
  type SealedConsent,
} from '../consent/index.ts'

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
  /** When it was used up, ran out or was revoked; null while it stands. */
  readonly endedAt: UnixMs | null
  readonly endedWhy: 'used' | 'expired' | 'revoked' | 'replaced' | null
}

export interface GrantRepository {
  insert(grant: Omit<Grant, 'id'>, scopeHash: string): Grant
  activeGrants(skillId: string, codeHash: CodeHash): readonly Grant[]
  /** Active grants of level 24h and forever, newest first. */
  listActiveGrants(): readonly Grant[]
  /** The newest active grant of the skill, whatever its code. */
  newestOfSkill(skillId: string): Grant | undefined
  byId(id: number): Grant | undefined
  activeByScope(scopeHash: string): Grant | undefined
  end(id: number, at: UnixMs, why: NonNullable<Grant['endedWhy']>): void
  expiredBy(now: UnixMs): readonly Grant[]
}

type TrustVerdict =
  | { readonly trusted: true; readonly grant: Grant }
  /** `changes` says how the request differs from the closest grant; empty when nothing was granted before. */
  | { readonly trusted: false; readonly changes: readonly string[] }

export interface Trust {
  evaluate(asked: Consent): TrustVerdict
  /** The same verdict, with nothing ended or written on the way. */
  look(asked: Consent): TrustVerdict
  /** Consents that stand for this code under this skill id, whoever asks. */
  activeGrants(skillId: string, codeHash: CodeHash): readonly Pick<SealedConsent, 'json' | 'hash'>[]
  /** Call inside the decision's transaction. */
  grant(input: {
    sealed: SealedConsent
    level: GrantLevel
    anyArgs: boolean
    requestId: string
    actor: string
  }): Grant
  list(): readonly Grant[]
  revoke(id: number, actor: string): Grant
  /** Ends what has run out and remembers how late it is. */
  tick(): void
}

export const TRUST_24H_MS = 24 * 60 * 60 * 1_000

export function createTrust(deps: {
  readonly repository: GrantRepository
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly clockGuard: ClockGuard
}): Trust {
  const { repository, audit, transactor, clock, clockGuard } = deps

  const stands = (grant: Grant, now: UnixMs): boolean =>
    grant.endedAt === null &&
    grant.level !== 'once' &&
    clockGuard.stands(grant.approvedAt, grant.expiresAt, now)

  /** A grant that has run out is ended on disk before anybody hears so: no later clock brings it back. */
  const endExpired = (now: UnixMs): void => {
    const expired = repository.expiredBy(now)
    if (expired.length === 0) return
    transactor.transact(() => {
      clockGuard.seen(now)
      for (const grant of expired) {
        repository.end(grant.id, now, 'expired')
        audit.append('trust.ended', 'daemon', grant.requestId, { grant: grant.id, skill_id: grant.skillId })
      }
    })
  }

  clockGuard.ends(endExpired)

  const look = (asked: Consent): TrustVerdict => {
    const now = clock.now()
    const candidates = repository
      .activeGrants(asked.skill_id, consentCode(asked))
      .filter((grant) => stands(grant, now))
    let closest: readonly string[] | undefined
    for (const grant of candidates) {
      const given = openConsent(grant.consentJson, grant.consentHash)
      const changes = differencesFrom(given, asked, { anyArgs: grant.anyArgs })
      if (changes.length === 0) return { trusted: true, grant }
      if (!closest || changes.length < closest.length) closest = changes
    }
    return { trusted: false, changes: closest ?? changesOfSkill(asked, now) }
  }

  return {
    activeGrants(skillId, codeHash) {
      const now = clock.now()
      return repository
        .activeGrants(skillId, codeHash)
        .filter((grant) => stands(grant, now))
        .map(({ consentJson: json, consentHash: hash }) => ({ json, hash }))
    },

    evaluate(asked) {
      endExpired(clock.now())
      return look(asked)
    },
    look,

    grant({ sealed, level, anyArgs, requestId, actor }) {
      const now = clock.now()
      clockGuard.vouch(now)
      const scopeHash = sha256Hex(`${sealed.hash}\n${anyArgs}`)
      const before = level === 'once' ? undefined : repository.activeByScope(scopeHash)
      if (before) repository.end(before.id, now, 'replaced')
      const grant = repository.insert(
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
          expiresAt: level === '24h' ? now + TRUST_24H_MS : null,
          // A single run is used up by the very decision that allows it.
          endedAt: level === 'once' ? now : null,
          endedWhy: level === 'once' ? 'used' : null,
        },
        scopeHash,
      )
      if (level !== 'once') {
        audit.append('trust.granted', actor, requestId, {
          grant: grant.id,
          level,
          any_args: anyArgs,
          skill_id: grant.skillId,
          code_hash: grant.codeHash,
          consent_hash: grant.consentHash,
        })
      }
      return grant
    },

    list() {
      const now = clock.now()
      return repository.listActiveGrants().filter((grant) => stands(grant, now))
    },

    revoke(id, actor) {
      return transactor.transact(() => {
        const grant = repository.byId(id)
        if (!grant || grant.endedAt !== null) throw new AppError('not_found', `No standing grant ${id}.`)
        repository.end(id, clock.now(), 'revoked')
        audit.append('trust.revoked', actor, grant.requestId, { grant: id, skill_id: grant.skillId })
        return grant
      })
    },

    tick() {
      endExpired(clock.now())
      clockGuard.tick()
    },
  }

  function changesOfSkill(asked: Consent, now: UnixMs): readonly string[] {
    const newest = repository.newestOfSkill(asked.skill_id)
    if (!newest || !stands(newest, now)) return []
    return differencesFrom(openConsent(newest.consentJson, newest.consentHash), asked, {
      anyArgs: newest.anyArgs,
    })
  }
}
