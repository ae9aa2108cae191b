import { randomBytes } from 'node:crypto'
import type { AuditLog } from '../../audit/index.ts'
import {
  AppError,
  algorithmOf,
  type Clock,
  canonicalJson,
  type DecisionProof,
  type DecisionStatement,
  decisionChallenge,
  type Storage,
  type Tx,
  verifyDecisionProof,
} from '../../kernel/index.ts'
import type { Actor } from '../index.ts'
import { createChallenges } from './challenges.ts'
import { type CreationOptions, creationOptions, type RequestOptions, requestOptions } from './options.ts'
import type { CeremonyPurpose, Passkey } from './ports.ts'
import { type RelyingParty, relyingPartyOf } from './relying-party.ts'
import {
  type AssertionJson,
  publicKeyOf,
  type RegistrationJson,
  verifyAssertion,
  verifyRegistration,
} from './webauthn.ts'

/** Who is signed in where: what a ceremony is bound to. */
export interface CeremonyHolder {
  readonly person: Actor
  /** Of the session, as it is stored; not what its cookie holds. */
  readonly session: string
  /** As the browser lists the passkey. */
  readonly name: string
  /** The console's, as the browser has it: its host is the relying party. */
  readonly origin: string
}

/** An assertion whose signature holds; `accept` takes it into a unit of work. */
export interface VerifiedAssertion {
  readonly person: Actor
  readonly credentialId: string
  readonly counter: number
}

export interface ProvenDecision extends VerifiedAssertion {
  readonly proof: DecisionProof
}

/** What a person is about to decide. */
export type DecisionAsked = Pick<DecisionStatement, 'approval' | 'choice' | 'consent_hash' | 'terms'>

/** Passkeys of the persons of one tenant. Every refused ceremony throws the same `refused`, whatever was wrong with it. */
export interface Passkeys {
  /** Everybody's. */
  all(): Promise<readonly Passkey[]>
  list(person: Actor): Promise<readonly Passkey[]>
  /** Throws not_found where it is gone, as `remove` does. Whether `actor` may is settled by whoever calls. */
  rename(passkey: Passkey, label: string, actor: Actor): Promise<void>
  /** `also`: in the same unit of work, what goes with the passkey. */
  remove(passkey: Passkey, actor: Actor, also: (tx: Tx) => Promise<void>): Promise<void>

  registrationOptions(of: CeremonyHolder): Promise<CreationOptions>
  register(of: CeremonyHolder, label: string, sent: RegistrationJson): Promise<Passkey>

  /** Names nobody: the browser offers what it has for this host. */
  signInOptions(origin: string): Promise<RequestOptions>
  stepUpOptions(of: CeremonyHolder): Promise<RequestOptions>
  verifyStepUp(of: CeremonyHolder, sent: AssertionJson): Promise<VerifiedAssertion>

  /** Of a challenge that is derived from the decision. */
  decisionOptions(of: CeremonyHolder, asked: DecisionAsked): Promise<RequestOptions>
  verifyDecision(of: CeremonyHolder, asked: DecisionAsked, sent: AssertionJson): Promise<ProvenDecision>

  /** Takes the counter that it signed into the unit of what it is good for; false where the passkey is gone, or a copy was faster. */
  isAccepted(tx: Tx, assertion: VerifiedAssertion): Promise<boolean>
  /** Throws refused where it is not. */
  accept(tx: Tx, assertion: VerifiedAssertion): Promise<void>
  readonly signIns: SignIns
  readonly signUps: SignUps
}

/** For whoever has no account yet: it is named by the challenge, and made when the passkey is. */
interface SignUps {
  options(origin: string, person: Actor, name: string): Promise<CreationOptions>
  /** The challenge, used up. Throws the same `refused` as any ceremony. */
  verify(origin: string, label: string, sent: RegistrationJson): Promise<Passkey>
  /** In the tenant that was made for its person. */
  keep(tx: Tx, passkey: Passkey): Promise<void>
}

/** For a sign-in, which begins before anybody knows whose tenant it is. */
interface SignIns {
  /** The challenge, used up; of those that `signInOptions` of this tenant gave out. */
  burn(sent: AssertionJson): Promise<string | undefined>
  find(credentialId: string): Promise<Passkey | undefined>
  verify(
    asked: { readonly challenge: string; readonly origin: string },
    passkey: Passkey,
    sent: AssertionJson,
  ): Promise<VerifiedAssertion | undefined>
}

const MAX_PASSKEYS = 16

const notAccepted = (): AppError =>
  new AppError('refused', 'The passkey was not accepted; begin again.', {
    details: { reason: 'passkey_not_accepted' },
  })

function relyingParty(origin: string): RelyingParty {
  const found = relyingPartyOf(origin)
  if (found !== null) return found
  throw new AppError('refused', NO_RELYING_PARTY, { details: { reason: 'no_relying_party' } })
}

export function createPasskeys(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  /** Throws `locked`. A passkey ends an emergency stop: whoever caused it makes none, and takes none away, meanwhile. */
  readonly assertOpen: () => void
}): Passkeys {
  const { storage, audit, clock, assertOpen } = deps
  const challenges = createChallenges(deps)

  const bound = ({ person, session }: CeremonyHolder, purpose: CeremonyPurpose) => ({
    purpose,
    person,
    session,
  })
  const ownOf = async (person: Actor): Promise<readonly Passkey[]> => {
    const own = await storage.read((tx) => tx.passkeys.ofPerson(person))
    if (own.length > 0) return own
    throw new AppError('refused', 'You have no passkey yet.', { details: { reason: 'no_passkey' } })
  }
  const verified: SignIns['verify'] = async ({ challenge, origin }, passkey, sent) => {
    const found = await verifyAssertion(sent, passkey, { challenge, relyingParty: relyingParty(origin) })
    return found && { person: passkey.person, credentialId: passkey.credentialId, counter: found.counter }
  }
  /** Among the person's own passkeys alone. */
  const verifiedOf = async ({ person, origin }: CeremonyHolder, challenge: string, sent: AssertionJson) => {
    const own = await storage.read((tx) => tx.passkeys.ofPerson(person))
    const passkey = own.find(({ credentialId }) => credentialId === sent.id)
    const assertion = passkey && (await verified({ challenge, origin }, passkey, sent))
    if (!assertion) throw notAccepted()
    return { passkey, assertion }
  }
  const isAccepted = (tx: Tx, { credentialId, person, counter }: VerifiedAssertion): Promise<boolean> =>
    tx.passkeys.used({ credentialId, person }, counter, clock.now())
  const found = (isThere: boolean): void => {
    if (!isThere) throw new AppError('not_found', 'There is no such passkey.')
  }
  const told = ({ credentialId, person, label }: Passkey) => ({ passkey: credentialId, person, label })

  return {
    all: () => storage.read((tx) => tx.passkeys.all()),
    list: (person) => storage.read((tx) => tx.passkeys.ofPerson(person)),
    rename: (passkey, label, actor) =>
      storage.transaction(async (tx) => {
        found(await tx.passkeys.rename(passkey, label))
        await audit.append(tx, 'passkey.renamed', actor, null, told({ ...passkey, label }))
      }),
    remove: (passkey, actor, also) =>
      storage.transaction(async (tx) => {
        assertOpen()
        found(await tx.passkeys.remove(passkey))
        await audit.append(tx, 'passkey.removed', actor, null, told(passkey))
        await also(tx)
      }),

    async registrationOptions(of) {
      const own = await storage.read((tx) => tx.passkeys.ofPerson(of.person))
      const party = relyingParty(of.origin)
      const handle = own[0]?.userHandle ?? randomBytes(32).toString('base64url')
      const challenge = await challenges.issue(bound(of, 'register'), { statement: handle })
      return creationOptions(party, challenge, { handle, name: of.name }, own)
    },
    async register(of, label, sent) {
      const asked = await challenges.burn(sent.response.clientDataJSON, bound(of, 'register'))
      const made =
        asked &&
        (await verifyRegistration(sent, {
          challenge: asked.challenge,
          relyingParty: relyingParty(of.origin),
        }))
      if (!made) throw notAccepted()
      const passkey: Passkey = {
        ...made,
        ...{ person: of.person, name: of.name, userHandle: asked.statement, label },
        ...{ createdAt: clock.now(), lastUsedAt: null },
      }
      return await storage.transaction(async (tx) => {
        assertOpen()
        if ((await tx.passkeys.ofPerson(of.person)).length >= MAX_PASSKEYS)
          throw new AppError('conflict', `You have ${MAX_PASSKEYS} passkeys; remove one first.`)
        if (!(await tx.passkeys.insert(passkey)))
          throw new AppError('conflict', 'This passkey is registered already.')
        await audit.append(tx, 'passkey.added', of.person, null, told(passkey))
        return passkey
      })
    },

    async signInOptions(origin) {
      const party = relyingParty(origin)
      const challenge = await challenges.issue({ purpose: 'sign_in', person: '', session: '' })
      return requestOptions(party, challenge, [])
    },
    async stepUpOptions(of) {
      const [party, own] = [relyingParty(of.origin), await ownOf(of.person)]
      return requestOptions(party, await challenges.issue(bound(of, 'step_up')), own)
    },
    async verifyStepUp(of, sent) {
      const asked = await challenges.burn(sent.response.clientDataJSON, bound(of, 'step_up'))
      if (!asked) throw notAccepted()
      return (await verifiedOf(of, asked.challenge, sent)).assertion
    },

    async decisionOptions(of, asked) {
      const [party, own] = [relyingParty(of.origin), await ownOf(of.person)]
      const statement: DecisionStatement = {
        ...asked,
        by: of.person,
        nonce: randomBytes(32).toString('base64url'),
      }
      const challenge = await challenges.issue(bound(of, 'decide'), {
        statement: canonicalJson(statement),
        challenge: decisionChallenge(statement),
      })
      return requestOptions(party, challenge, own)
    },
    async verifyDecision(of, asked, sent) {
      const burnt = await challenges.burn(sent.response.clientDataJSON, bound(of, 'decide'))
      if (!burnt) throw notAccepted()
      const { nonce } = JSON.parse(burnt.statement) as DecisionStatement
      // What is decided now, in the words of now: what was shown when the challenge was made counts for nothing where it differs.
      const statement: DecisionStatement = { ...asked, by: of.person, nonce }
      if (decisionChallenge(statement).toString('base64url') !== burnt.challenge) throw notAccepted()
      const { passkey, assertion } = await verifiedOf(of, burnt.challenge, sent)
      const proof = await proofOf(statement, passkey, sent, relyingParty(of.origin))
      if (!verifyDecisionProof(proof).ok) throw notAccepted()
      return { ...assertion, proof }
    },

    isAccepted,
    async accept(tx, assertion) {
      if (!(await isAccepted(tx, assertion))) throw notAccepted()
    },
    signUps: {
      async options(origin, person, name) {
        const party = relyingParty(origin)
        const handle = randomBytes(32).toString('base64url')
        const challenge = await challenges.issue(
          { purpose: 'sign_up', person: '', session: '' },
          { statement: canonicalJson({ handle, person, name }) },
        )
        return creationOptions(party, challenge, { handle, name }, [])
      },
      async verify(origin, label, sent) {
        const asked = await challenges.burn(sent.response.clientDataJSON, {
          ...{ purpose: 'sign_up', person: '', session: '' },
        })
        const made =
          asked &&
          (await verifyRegistration(sent, {
            challenge: asked.challenge,
            relyingParty: relyingParty(origin),
          }))
        if (!made) throw notAccepted()
        const { handle, person, name } = JSON.parse(asked.statement) as Record<'handle' | 'name', string> & {
          person: Actor
        }
        return {
          ...made,
          ...{ person, name, userHandle: handle, label, createdAt: clock.now(), lastUsedAt: null },
        }
      },
      async keep(tx, passkey) {
        if (!(await tx.passkeys.insert(passkey)))
          throw new AppError('conflict', 'This passkey is registered already.')
        await audit.append(tx, 'passkey.added', passkey.person, null, told(passkey))
      },
    },
    signIns: {
      burn: async (sent) =>
        (await challenges.burn(sent.response.clientDataJSON, { purpose: 'sign_in', person: '', session: '' }))
          ?.challenge,
      find: (credentialId) => storage.read((tx) => tx.passkeys.find(credentialId)),
      verify: verified,
    },
  }
}

async function proofOf(
  statement: DecisionStatement,
  passkey: Passkey,
  { response }: AssertionJson,
  { id, origin }: RelyingParty,
): Promise<DecisionProof> {
  const key = await publicKeyOf(passkey.publicKey)
  const algorithm = algorithmOf(key)
  if (algorithm === undefined) throw notAccepted()
  return {
    ...{ v: 1, statement, credential_id: passkey.credentialId, algorithm },
    public_key: key.export({ format: 'der', type: 'spki' }).toString('base64url'),
    ...{ rp_id: id, origin, authenticator_data: response.authenticatorData },
    ...{ client_data_json: response.clientDataJSON, signature: response.signature },
  }
}

const NO_RELYING_PARTY =
  'A passkey needs the console at http://localhost, or at a name over https (OAUTH3_PUBLIC_URL): a browser makes none for an address.'
