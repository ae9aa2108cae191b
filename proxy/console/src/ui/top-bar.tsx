import { say } from '../state/news.ts'
import { signOut } from '../state/session.ts'
import { sessionState } from '../state/session-signals.ts'
import { connection } from '../state/stream.ts'
import { nextTheme, theme } from '../state/theme.ts'
import { openHelp } from './help.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Link } from './link.tsx'
import { PanicButton } from './lockdown.tsx'

const CONNECTION_WORDS = { connecting: 'Connecting', live: 'Live', offline: 'Reconnecting' }
const THEME_ICONS: Record<typeof theme.value, IconName> = { system: 'system', light: 'sun', dark: 'moon' }

export function TopBar() {
  const session = sessionState.value
  return (
    <header class="top">
      <Link to="/" class="brand" aria-label="OAuth3">
        <img src="/console/icon.svg" alt="" width="22" height="22" />
        <span>OAuth3</span>
      </Link>
      <span class={`connection ${connection.value}`} role="status">
        <span class="dot" aria-hidden="true" />
        {CONNECTION_WORDS[connection.value]}
      </span>
      <span class="gap" />
      {typeof session === 'object' && (
        <span class="who" title={`Signed in by ${session.method} as ${session.role}`}>
          {session.who}
        </span>
      )}
      <PanicButton />
      <button type="button" class="quiet keys-button" onClick={openHelp} aria-label="Keys" title="Keys (?)">
        <kbd>?</kbd>
      </button>
      <button
        type="button"
        class="quiet"
        onClick={nextTheme}
        aria-label={`Theme: ${theme.value}`}
        title={`Theme: ${theme.value}`}
      >
        <Icon name={THEME_ICONS[theme.value]} />
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => signOut().catch((error: Error) => say(error.message, 'bad'))}
      >
        Sign out
      </button>
    </header>
  )
}
