import type { UnixMs } from '../../kernel/index.ts'
import type { ProofMethod, SessionId, SessionPerson } from '../index.ts'

/** A code that signs a person in, once; SHA-256 of it, in hex. */
export interface SignInCode {
  readonly hash: string
  readonly person: SessionPerson
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
}

export interface Session {
  readonly id: SessionId
  /** SHA-256 of the cookie, in hex. */
  readonly cookieHash: string
  readonly person: SessionPerson
  readonly method: ProofMethod
  readonly signedInAt: UnixMs
  /** When the person last proved that it is them, and by what. */
  readonly provedAt: UnixMs
  readonly provedBy: ProofMethod
  /** As of the row: the daemon's memory may know of a later use. */
  readonly seenAt: UnixMs
  /** However much it is used. */
  readonly expiresAt: UnixMs
}

interface SessionReader {
  /** The oldest first. */
  list(): Promise<readonly Session[]>
  /** Codes that nobody has used. */
  codes(): Promise<readonly SignInCode[]>
}

export interface SessionStore extends SessionReader {
  insertCode(code: SignInCode): Promise<void>
  /** Burns it; undefined where it is used, over, or none. */
  burnCode(hash: string, at: UnixMs): Promise<SignInCode | undefined>
  /** Used ones among them. */
  deleteCodesBefore(at: UnixMs): Promise<void>
  insert(session: Session): Promise<void>
  setProved(id: SessionId, at: UnixMs, by: ProofMethod): Promise<void>
  setSeen(id: SessionId, at: UnixMs): Promise<void>
  /** False where there is none. */
  delete(id: SessionId): Promise<boolean>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly sessions: StorePort<SessionReader, SessionStore>
  }
}
