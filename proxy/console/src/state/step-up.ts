import { signal } from '@preact/signals'
import { session } from '../api/client.ts'
import { stepUp } from '../passkey.ts'
import { loadSession } from './session.ts'
import { sessionState } from './session-signals.ts'

export interface Asked {
  settle(password: string | null): void
}

/** While a password is asked for. */
export const passwordAsked = signal<Asked | null>(null)

/** Proves again who it is: by a passkey where there is one, else by the password of the account. */
export async function proveAgain(): Promise<void> {
  const state = sessionState.value
  if (typeof state !== 'object' || state.role !== 'account' || state.has_passkey) return await stepUp()
  const password = await new Promise<string | null>((resolve) => {
    passwordAsked.value = { settle: resolve }
  })
  passwordAsked.value = null
  if (password === null) throw new Error('Nothing was proved: it was cancelled.')
  await session.call('stepUpByPassword', { body: { password } })
  await loadSession()
}
