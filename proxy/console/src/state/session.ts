import { session } from '../api/client.ts'
import { ApiError } from '../api/transport.ts'
import { setDaemonTime } from './clock.ts'
import { sessionEnded, sessionState } from './session-signals.ts'

/** Asks the daemon who is signed in. Throws where it cannot be reached. */
export async function loadSession(): Promise<void> {
  try {
    const view = await session.call('readSession')
    setDaemonTime(view.now)
    sessionState.value = view
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
  }
}

const SIGNED_OUT = 'signed out'
const inOtherTabs = new BroadcastChannel('oauth3-session')
inOtherTabs.onmessage = ({ data }) => {
  if (data === SIGNED_OUT) leave()
  else void loadSession().catch(() => undefined)
}

/** Signs in with the code of a link. Throws what the daemon said. */
export async function signInByCode(code: string): Promise<void> {
  await session.call('signIn', { body: { code } })
  await signedIn()
}

/** After the daemon set a cookie, here or in a ceremony. */
export async function signedIn(): Promise<void> {
  await loadSession()
  inOtherTabs.postMessage('signed in')
}

export async function signOut(): Promise<void> {
  await session.call('signOut')
  inOtherTabs.postMessage(SIGNED_OUT)
  leave()
}

/** Nothing of what was shown stays in the page's memory. A session that ended by itself keeps it, below the sign-in. */
function leave(): void {
  sessionEnded()
  location.replace('/console/')
}
