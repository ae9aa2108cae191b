import type { AdminRoutes } from '../../src/contracts/admin/index.ts'
import type { ConsoleRoutes } from '../../src/contracts/console/index.ts'
import type { RouteCall } from '../../src/contracts/route.ts'
import { session } from './api/client.ts'

/** Ceremonies of WebAuthn by the browser's own JSON forms (level 3): each asks the daemon for options, the person, and the daemon again. */

export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential === 'function' &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function' &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'

type Assertion = RouteCall<ConsoleRoutes['stepUp']>['body']['credential']
type Registration = RouteCall<ConsoleRoutes['registerPasskey']>['body']['credential']
type Decision = RouteCall<ConsoleRoutes['decisionOptions']>['body']
type Proof = NonNullable<RouteCall<AdminRoutes['decideApproval']>['body']['proof']>

/** What browsers tell in one text for: taken back, timed out, no passkey here, or not verified. */
const NOT_DONE =
  'Nothing was proved: it was cancelled, took too long, or there is no passkey of this console here.'

async function ask(ceremony: () => Promise<Credential | null>): Promise<unknown> {
  try {
    const credential = (await ceremony()) as PublicKeyCredential | null
    if (credential === null) throw new Error(NOT_DONE)
    return credential.toJSON()
  } catch (error) {
    if ((error as Error).name === 'InvalidStateError')
      throw new Error('There is a passkey of yours on this device already.')
    throw (error as Error).name === 'NotAllowedError' ? new Error(NOT_DONE) : error
  }
}

async function assertionFor(options: PublicKeyCredentialRequestOptionsJSON): Promise<Assertion> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  return (await ask(() => navigator.credentials.get({ publicKey }))) as Assertion
}

/** Throws what the daemon or the browser said, as all of these do. */
export async function registerPasskey(label: string): Promise<void> {
  const options = await session.call('passkeyRegistrationOptions')
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = (await ask(() => navigator.credentials.create({ publicKey }))) as Registration
  await session.call('registerPasskey', { body: { label, credential } })
}

/** The passkey and the account that it signs in, in one. */
export async function createSignUpPasskey(name: string): Promise<void> {
  const options = await session.call('signUpOptions', { body: { name } })
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = (await ask(() => navigator.credentials.create({ publicKey }))) as Registration
  await session.call('signUpByPasskey', { body: { credential } })
}

export async function signInByPasskey(): Promise<void> {
  const credential = await assertionFor(await session.call('passkeySignInOptions'))
  await session.call('signInByPasskey', { body: { credential } })
}

export async function stepUp(): Promise<void> {
  const credential = await assertionFor(await session.call('stepUpOptions'))
  await session.call('stepUp', { body: { credential } })
}

/** What goes as `proof` with just this decision. */
export const proveDecision = async (decision: Decision): Promise<Proof> =>
  await assertionFor(await session.call('decisionOptions', { body: decision }))
