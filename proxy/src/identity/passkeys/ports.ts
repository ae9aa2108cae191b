import type { UnixMs } from '../../kernel/index.ts'
import type { Actor } from '../index.ts'

/** A row of `passkeys`: a WebAuthn credential of one person. */
export interface Passkey {
  /** base64url, as the authenticator names it. */
  readonly credentialId: string
  /** Whoever registered it, as the audit names them. */
  readonly person: Actor
  /** Theirs, at that time. */
  readonly name: string
  /** base64url of 32 random bytes: the same in all passkeys of the person, and nothing that tells who it is. */
  readonly userHandle: string
  /** COSE_Key (RFC 9052), as it was registered. */
  readonly publicKey: Uint8Array
  /** Signatures that the authenticator has counted; 0 for one that does not count. */
  readonly counter: number
  /** How a browser reaches it: `internal`, `usb`, `hybrid`. */
  readonly transports: readonly string[]
  readonly label: string
  readonly createdAt: UnixMs
  readonly lastUsedAt: UnixMs | null
}

interface PasskeyReader {
  /** By person, the oldest first. */
  all(): Promise<readonly Passkey[]>
  /** Of the person alone, the oldest first. */
  ofPerson(person: Actor): Promise<readonly Passkey[]>
  /** Whoever it belongs to: for a sign-in, which begins without a person. */
  find(credentialId: string): Promise<Passkey | undefined>
}

export interface PasskeyStore extends PasskeyReader {
  /** False where this credential is there already, whoever it belongs to; nothing is changed then. */
  insert(passkey: Passkey): Promise<boolean>
  /**
   * Compare and swap: false where the passkey is not there any more, is another person's, or has counted as far already
   * (a copy of the authenticator). Both zero: it does not count.
   */
  used(of: Pick<Passkey, 'credentialId' | 'person'>, counter: number, at: UnixMs): Promise<boolean>
  /** False where the person has none of this id. */
  rename(of: Pick<Passkey, 'credentialId' | 'person'>, label: string): Promise<boolean>
  remove(of: Pick<Passkey, 'credentialId' | 'person'>): Promise<boolean>
}

/** What the assertion or registration is for: a challenge of one is none of another. */
export type CeremonyPurpose = 'register' | 'sign_in' | 'sign_up' | 'step_up' | 'decide'

/** Who may answer a challenge; both '' where nobody is signed in. */
export interface CeremonyOf {
  readonly purpose: CeremonyPurpose
  readonly person: Actor | ''
  readonly session: string
}

/** A row of `passkey_challenges`. */
export interface Challenge extends CeremonyOf {
  /** base64url of 32 bytes. */
  readonly challenge: string
  /** What was asked for, as canonical JSON; '' where the purpose says it all. */
  readonly statement: string
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
}

export interface ChallengeStore {
  insert(challenge: Challenge): Promise<void>
  /** Takes it out of use, before anything is verified; undefined where it was used, is over, or is another's. */
  burn(challenge: string, of: CeremonyOf, now: UnixMs): Promise<Challenge | undefined>
  /** What is over, and of one session (or of all who have none) all but the newest `keep`. */
  prune(session: string, keep: number, now: UnixMs): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly passkeys: StorePort<PasskeyReader, PasskeyStore>
    readonly passkeyChallenges: StorePort<unknown, ChallengeStore>
  }
}
