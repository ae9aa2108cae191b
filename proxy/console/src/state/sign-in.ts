import { effect, signal } from '@preact/signals'
import { loadSession, signInByCode } from './session.ts'
import { sessionState } from './session-signals.ts'
import { closeStream, connection, openStream } from './stream.ts'

/** What the last attempt to sign in was refused for. */
export const signInError = signal<string | null>(null)
export const isSigningIn = signal(false)

const RETRY_MS = 1_000

/** The one-use code of a link that `oauth3 console` printed, or of its fragment alone. */
export const codeIn = (text: string): string | undefined => /(?:^|[#&?])code=([\w-]+)/.exec(text)?.[1]

export async function signInWith(attempt: () => Promise<void>): Promise<void> {
  isSigningIn.value = true
  signInError.value = null
  try {
    await attempt()
  } catch (error) {
    signInError.value = (error as Error).message
  } finally {
    isSigningIn.value = false
  }
}

/** Takes the code out of the address before anything else: it is neither kept in the history nor seen by what is loaded later. */
export function startSignIn(): void {
  const code = codeIn(location.hash)
  if (code !== undefined) history.replaceState(null, '', location.pathname + location.search)
  const load = (): void => {
    loadSession().catch(() => {
      connection.value = 'offline'
      setTimeout(load, RETRY_MS)
    })
  }
  if (code === undefined) load()
  else void signInWith(() => signInByCode(code)).then(load)
  // The person, not the object: a session that is read again is the same one.
  let streamOf: string | undefined
  effect(() => {
    const session = sessionState.value
    const key = typeof session === 'object' ? `${session.who} ${session.signed_in_at}` : undefined
    if (key === streamOf) return
    streamOf = key
    if (key === undefined) closeStream()
    else openStream()
  })
  addEventListener('hashchange', () => {
    const late = codeIn(location.hash)
    if (late === undefined) return
    history.replaceState(null, '', location.pathname + location.search)
    void signInWith(() => signInByCode(late))
  })
  // A machine that slept: its monotonic clock may have stood still.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && typeof sessionState.value === 'object') {
      loadSession().catch(() => undefined)
    }
  })
}
