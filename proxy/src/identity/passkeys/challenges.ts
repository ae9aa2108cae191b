import { randomBytes } from 'node:crypto'
import type { Clock, Storage } from '../../kernel/index.ts'
import { CEREMONY_MS } from './options.ts'
import type { CeremonyOf, Challenge } from './ports.ts'
import { challengeIn } from './webauthn.ts'

/** How many a session has at once; of sign-ins, which have none, all together: the oldest gives way. */
const KEPT = { session: 8, signIn: 4_096 } as const

/** Challenges of passkey ceremonies, against replay: each is used once, within two minutes, by whom it was given to and for what. */
export interface Challenges {
  /** `challenge`: derived from what is asked for; left out: 32 random bytes. */
  issue(of: CeremonyOf, about?: { readonly statement: string; readonly challenge?: Buffer }): Promise<string>
  /**
   * The challenge that the response says it answers, which is used up from here on, whatever is found of the response: committed before
   * any verification, as a verification keeps no state. Undefined where there is none that could be answered.
   */
  burn(clientDataJson: string, of: CeremonyOf): Promise<Challenge | undefined>
}

export function createChallenges({
  storage,
  clock,
}: {
  readonly storage: Pick<Storage, 'transaction'>
  readonly clock: Clock
}): Challenges {
  return {
    async issue(of, { statement, challenge: bytes } = { statement: '' }) {
      const challenge = (bytes ?? randomBytes(32)).toString('base64url')
      await storage.transaction(async (tx) => {
        const now = clock.now()
        await tx.passkeyChallenges.prune(of.session, of.session === '' ? KEPT.signIn : KEPT.session, now)
        await tx.passkeyChallenges.insert({
          ...of,
          ...{ challenge, statement, createdAt: now, expiresAt: now + CEREMONY_MS },
        })
      })
      return challenge
    },
    async burn(clientDataJson, of) {
      const challenge = challengeIn(clientDataJson)
      if (challenge === undefined) return undefined
      return await storage.transaction((tx) => tx.passkeyChallenges.burn(challenge, of, clock.now()))
    },
  }
}
