import { signal } from '@preact/signals'
import { session } from '../api/client.ts'
import { createSignUpPasskey } from '../passkey.ts'
import { signedIn } from './session.ts'

type SignUp = Awaited<ReturnType<typeof readSignUp>>
const readSignUp = () => session.call('readSignUp')

/** By what anybody may sign up; null while it is not known. */
export const signUp = signal<SignUp | null>(null)

export function loadSignUp(): void {
  readSignUp().then(
    (told) => {
      signUp.value = told
    },
    // The links and passkeys of before are there all the same.
    () => undefined,
  )
}

export async function signInByPassword(email: string, password: string): Promise<void> {
  await session.call('signInByPassword', { body: { email, password } })
  await signedIn()
}

export async function signUpByPassword(email: string, password: string): Promise<void> {
  await session.call('signUpByPassword', { body: { email, password } })
  await signedIn()
}

export async function signInByKey(provider: string, value: string): Promise<void> {
  await session.call('signInByKey', { body: { provider, value } })
  await signedIn()
}

export async function signUpByPasskey(name: string): Promise<void> {
  await createSignUpPasskey(name)
  await signedIn()
}
