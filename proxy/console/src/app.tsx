import { SignIn } from './pages/sign-in.tsx'
import { sessionState } from './state/session-signals.ts'
import { connection } from './state/stream.ts'
import { Shell } from './ui/shell.tsx'

let wasSignedIn = false

/** A session that ended leaves what was shown where it is, below the sign-in: what was typed is not lost. */
export function App() {
  const session = sessionState.value
  if (session === 'unknown') {
    return (
      <p class="empty" role="status">
        {connection.value === 'offline' ? 'The daemon cannot be reached. Trying again …' : 'Loading …'}
      </p>
    )
  }
  if (session !== 'none') wasSignedIn = true
  if (!wasSignedIn) return <SignIn />
  return (
    <>
      <div class="under" inert={session === 'none'}>
        <Shell />
      </div>
      {session === 'none' && (
        <div class="cover">
          <SignIn />
        </div>
      )}
    </>
  )
}
