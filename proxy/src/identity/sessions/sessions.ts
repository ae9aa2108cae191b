import { randomBytes } from 'node:crypto'
import type { AuditLog } from '../../audit/index.ts'
import {
  type Clock,
  createMirror,
  type ReadTx,
  randomToken,
  type Storage,
  sha256Hex,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { type Actor, type ProofMethod, personActor, type SessionId, type SessionPerson } from '../index.ts'
import type { Session } from './ports.ts'

/** A cookie that was just made. It is in this answer and nowhere else: the store has its hash. */
export interface OpenedSession {
  readonly session: Session
  readonly cookie: string
}

interface SignIn {
  readonly person: SessionPerson
  readonly method: ProofMethod
  /** For the audit. */
  readonly address: string
  /** The session that the browser had, which ends with this (session fixation). */
  readonly replaces: SessionId | null
}

/** Who is signed in at the console of one tenant. Asked by each request, so it answers from memory. */
export interface Sessions {
  load(tx: ReadTx): Promise<void>
  /** A code that signs this person in, once, within two minutes or `goodForMs`. */
  invite(
    person: SessionPerson,
    actor: Actor,
    goodForMs?: number,
  ): Promise<{ readonly code: string; readonly expiresAt: UnixMs }>
  /** Whether there is such a code, used by nobody yet, by its SHA-256. */
  hasCode(hash: string): boolean
  /** Burns the code first: undefined where it was used, is over, or is none. */
  signInByCode(code: string, of: Omit<SignIn, 'person' | 'method'>): Promise<OpenedSession | undefined>
  /** For whoever has checked another proof, in the unit of work that burns it. */
  open(tx: Tx, of: SignIn): Promise<OpenedSession>
  /** By the SHA-256 of its cookie; undefined where it is over, idle or none. */
  find(cookieHash: string): Session | undefined
  byId(id: SessionId): Session | undefined
  /** The person has used it. */
  seen(session: Session): void
  /** The person has proved again that it is them: another link makes another session. */
  prove(tx: Tx, id: SessionId, by: 'passkey' | 'password'): Promise<void>
  /** By what the person has just proved that it is them; null: that was too long ago. */
  steppedUpBy(session: Session): ProofMethod | null
  /** Until when the last proof counts. */
  steppedUpUntil(session: Session): UnixMs
  lastSeen(session: Session): UnixMs
  /** When it is over, unless it is used before. */
  endOf(session: Session): UnixMs
  /** From the commit on its cookie is nothing, and of one that is revoked no link of its person. False where there is no such session. */
  end(id: SessionId, actor: Actor, why: 'signed_out' | 'revoked'): Promise<boolean>
  /** In the unit of what ends it; false where there is no such session. */
  endIn(tx: Tx, id: SessionId, actor: Actor, why: 'refresh_reused'): Promise<boolean>
  /** Every session of the person but this one, and all their links, in the unit that takes away what may have opened them; how many. */
  endOthers(
    tx: Tx,
    person: Actor,
    except: SessionId | null,
    actor: Actor,
    why?: 'passkey_removed' | 'password_set',
  ): Promise<number>
  /** Those that are good. */
  list(): readonly Session[]
}

const CODE_MS = 2 * 60_000
/** Idle timeout of a session. */
const IDLE_MS = 12 * 3_600_000
/** Absolute lifetime of a session, however much it is used. */
const LIFETIME_MS = 7 * 24 * 3_600_000
/** Step-up: how long a proof counts. */
const STEPPED_UP_MS = 10 * 60_000
/** What a crash may take from an idle timeout; each use would cost a write. */
const SEEN_EVERY_MS = 5 * 60_000
/** Of one tenant; the one that was idle longest makes room. */
const MAX_SESSIONS = 64
const MAX_CODES = 32

export function createSessions(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly log: { error(details: object, message: string): void }
}): Sessions {
  const { storage, audit, clock } = deps
  const rows = createMirror(async (tx) => {
    const sessions = await tx.sessions.list()
    return {
      sessions: new Map(sessions.map((session) => [session.cookieHash, session])),
      codes: new Map((await tx.sessions.codes()).map(({ hash, expiresAt }) => [hash, expiresAt])),
    }
  })
  /** Later than the rows say. */
  const uses = new Map<SessionId, { readonly seenAt: UnixMs; readonly storedAt: UnixMs }>()

  const lastSeen = ({ id, seenAt }: Session): UnixMs => Math.max(seenAt, uses.get(id)?.seenAt ?? 0)
  const endOf = (session: Session): UnixMs => Math.min(session.expiresAt, lastSeen(session) + IDLE_MS)
  const isGood = (session: Session, now = clock.now()): boolean => now < endOf(session)
  const good = (): Session[] => [...rows.value.sessions.values()].filter((session) => isGood(session))

  /** Links that a thief made with somebody's session look like that person's own, and would outlive it. */
  const burnCodesOf = async (tx: Tx, person: Actor): Promise<void> => {
    for (const code of await tx.sessions.codes())
      if (personActor(code.person) === person) await tx.sessions.burnCode(code.hash, clock.now())
  }
  const remove = async (tx: Tx, id: SessionId, actor: Actor, why: string): Promise<boolean> => {
    if (!(await tx.sessions.delete(id))) return false
    await audit.append(tx, 'session.ended', actor, null, { session: id, why })
    tx.onCommit(() => void uses.delete(id))
    return true
  }
  /** Those that are over, and the one that was idle longest where there are too many. */
  const makeRoom = async (tx: Tx, now: UnixMs): Promise<void> => {
    const stored = await tx.sessions.list()
    const over = stored.filter((session) => !isGood(session, now))
    for (const { id } of over) await tx.sessions.delete(id)
    const rest = stored
      .filter((session) => isGood(session, now))
      .toSorted((a, b) => lastSeen(a) - lastSeen(b))
    for (const { id } of rest.slice(0, Math.max(0, rest.length - MAX_SESSIONS + 1)))
      await remove(tx, id, 'daemon', 'too_many')
  }
  const open = async (tx: Tx, { person, method, address, replaces }: SignIn) => {
    const now = clock.now()
    const actor = personActor(person)
    if (replaces !== null) await remove(tx, replaces, actor, 'replaced')
    await makeRoom(tx, now)
    const cookie = randomToken(256)
    const session: Session = {
      id: `ses_${randomBytes(8).toString('hex')}` as SessionId,
      cookieHash: sha256Hex(cookie),
      ...{ person, method },
      ...{ signedInAt: now, provedAt: now, provedBy: method, seenAt: now, expiresAt: now + LIFETIME_MS },
    }
    await tx.sessions.insert(session)
    await audit.append(tx, 'session.opened', actor, null, { session: session.id, method, address })
    await rows.refresh(tx)
    return { session, cookie }
  }

  return {
    load: (tx) => rows.load(tx),
    async invite(person, actor, goodForMs = CODE_MS) {
      const now = clock.now()
      const code = randomToken(256)
      const expiresAt = now + goodForMs
      await storage.transaction(async (tx) => {
        await tx.sessions.deleteCodesBefore(now)
        const waiting = await tx.sessions.codes()
        for (const { hash } of waiting.slice(0, Math.max(0, waiting.length - MAX_CODES + 1)))
          await tx.sessions.burnCode(hash, now)
        await tx.sessions.insertCode({ hash: sha256Hex(code), person, createdAt: now, expiresAt })
        await audit.append(tx, 'session.invited', actor, null, { who: personActor(person), until: expiresAt })
        await rows.refresh(tx)
      })
      return { code, expiresAt }
    },
    hasCode: (hash) => (rows.value.codes.get(hash) ?? 0) > clock.now(),
    signInByCode: (code, of) =>
      storage.transaction(async (tx) => {
        const burnt = await tx.sessions.burnCode(sha256Hex(code), clock.now())
        if (burnt === undefined) return undefined
        return await open(tx, { ...of, person: burnt.person, method: 'link' })
      }),
    open,
    find(cookieHash) {
      const session = rows.value.sessions.get(cookieHash)
      return session !== undefined && isGood(session) ? session : undefined
    },
    byId(id) {
      const session = [...rows.value.sessions.values()].find((one) => one.id === id)
      return session !== undefined && isGood(session) ? session : undefined
    },
    seen(session) {
      const now = clock.now()
      const used = uses.get(session.id)
      uses.set(session.id, { seenAt: now, storedAt: used?.storedAt ?? session.seenAt })
      if (now < (used?.storedAt ?? session.seenAt) + SEEN_EVERY_MS) return
      uses.set(session.id, { seenAt: now, storedAt: now })
      const written = storage.transaction((tx) => tx.sessions.setSeen(session.id, now), 'grouped')
      // The request that it was seen by goes on.
      written.catch((error: unknown) => deps.log.error({ err: error }, 'the use of a session was not stored'))
    },
    async prove(tx, id, by) {
      await tx.sessions.setProved(id, clock.now(), by)
      await rows.refresh(tx)
    },
    steppedUpBy: ({ provedAt, provedBy }) => (clock.now() < provedAt + STEPPED_UP_MS ? provedBy : null),
    steppedUpUntil: ({ provedAt }) => provedAt + STEPPED_UP_MS,
    lastSeen,
    endOf,
    end: (id, actor, why) =>
      storage.transaction(async (tx) => {
        const revoked =
          why === 'revoked' ? (await tx.sessions.list()).find((one) => one.id === id) : undefined
        const ended = await remove(tx, id, actor, why)
        if (revoked !== undefined) await burnCodesOf(tx, personActor(revoked.person))
        await rows.refresh(tx)
        return ended
      }),
    async endIn(tx, id, actor, why) {
      const ended = await remove(tx, id, actor, why)
      await rows.refresh(tx)
      return ended
    },
    async endOthers(tx, person, except, actor, why = 'passkey_removed') {
      const others = (await tx.sessions.list()).filter(
        (session) => session.id !== except && personActor(session.person) === person,
      )
      for (const { id } of others) await remove(tx, id, actor, why)
      await burnCodesOf(tx, person)
      await rows.refresh(tx)
      return others.length
    },
    list: good,
  }
}
