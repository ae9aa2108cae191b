import type { PasskeyCeremonies } from '../../contracts/console/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import { assertAuthorized, isMember, personActor, resourceOf, type SessionId } from '../../identity/index.ts'
import { type CeremonyHolder, createPasskeySignIn } from '../../identity/passkeys/index.ts'
import type { OpenedSession } from '../../identity/sessions/index.ts'
import { AppError, type Json, networkOf } from '../../kernel/index.ts'
import type { Caller } from './caller.ts'
import { assertSignedIn, type ConsoleCall, type SessionAnswers } from './session-answers.ts'
import type { ConsoleTenant } from './tenant.ts'

const NOT_SIGNED_IN =
  'This passkey is not known here, or was not accepted; sign in by a link of `oauth3 console`.'

/** Ceremonies of one request: each is bound to the session that asks, and to its person. */
export function passkeyHandlers(
  tenants: () => readonly ConsoleTenant[],
  { place, caller }: ConsoleCall,
  { opened, refused, view }: SessionAnswers,
): RouteHandlers<PasskeyCeremonies> {
  const signIn = createPasskeySignIn(tenants)
  const signedIn = (): Caller<ConsoleTenant> & { readonly holder: CeremonyHolder } => {
    const signedIn = assertSignedIn(caller)
    const { by, session } = signedIn
    const holder = { person: by.actor, session: session.id, name: session.person.name, origin: place.origin }
    return { ...signedIn, holder }
  }
  const mayManage = ({ of: { tenant }, by }: Caller<ConsoleTenant>): void =>
    assertAuthorized(by.principal, 'passkey.manage', resourceOf(tenant, 'passkey.manage'))

  type Proved = NonNullable<Awaited<ReturnType<typeof signIn.verify>>>
  /** Undefined for whoever is no approver any more, and for a copy of the authenticator. */
  const open = async (
    { of, person, assertion }: Proved,
    replaces: SessionId | null,
  ): Promise<OpenedSession | undefined> => {
    if (!isMember(of.memberships, of.tenant, personActor(person))) return undefined
    return await of.storage.transaction(async (tx) => {
      if (!(await of.passkeys.isAccepted(tx, assertion))) return undefined
      return await of.sessions.open(tx, { person, method: 'passkey', address: place.address, replaces })
    })
  }

  return {
    async passkeySignInOptions() {
      // Anybody may ask, and each asking is a row for two minutes.
      await tenants()[0]?.gate.take('read', `console ${networkOf(place.address)}`)
      return await signIn.options(place.origin)
    },
    async signInByPasskey({ body: { credential } }) {
      const proved = await signIn.verify(credential, place.origin)
      const view = proved && (await opened(proved.of, (replaces) => open(proved, replaces)))
      if (view === undefined) throw await refused(NOT_SIGNED_IN)
      return view
    },

    async passkeyRegistrationOptions() {
      const signed = signedIn()
      mayManage(signed)
      return await signed.of.passkeys.registrationOptions(signed.holder)
    },
    async registerPasskey({ body: { label, credential } }) {
      const signed = signedIn()
      mayManage(signed)
      const { credentialId } = await signed.of.passkeys.register(signed.holder, label, credential)
      return { id: credentialId, label }
    },

    stepUpOptions() {
      const { of, holder } = signedIn()
      return of.passkeys.stepUpOptions(holder)
    },
    async stepUp({ body: { credential } }) {
      const { of, holder, session } = signedIn()
      const assertion = await of.passkeys.verifyStepUp(holder, credential)
      await of.storage.transaction(async (tx) => {
        await of.passkeys.accept(tx, assertion)
        await of.sessions.prove(tx, session.id, 'passkey')
      })
      return await view(of, of.sessions.find(session.cookieHash) ?? session)
    },

    async decisionOptions({ body: { approval, choice, consent_hash, terms = null } }) {
      const { of, holder, by } = signedIn()
      const found = await of.storage.read((tx) => of.approvals.find(tx, approval))
      if (found === undefined) throw new AppError('not_found', 'Nothing of this id was asked.')
      const asked = resourceOf(of.tenant, 'approval.read', found.requester.id)
      assertAuthorized(by.principal, 'approval.read', asked)
      return await of.passkeys.decisionOptions(holder, {
        ...{ approval: found.id, choice, consent_hash },
        terms: terms as Json,
      })
    },
  }
}
