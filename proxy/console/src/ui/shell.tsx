import { useEffect } from 'preact/hooks'
import { PAGES, type Page } from '../pages/table.ts'
import { go, place } from '../router.ts'
import { followWaiting, waitingCount } from '../state/approvals.ts'
import { bindKeys } from '../state/keys.ts'
import { news } from '../state/news.ts'
import { Help, openHelp } from './help.tsx'
import { Icon } from './icon.tsx'
import { Link } from './link.tsx'
import { LockdownBanner } from './lockdown.tsx'
import { Outlet } from './outlet.tsx'
import { StepUp } from './step-up.tsx'
import { TopBar } from './top-bar.tsx'

const NAVIGATION = PAGES.filter((page) => page.nav !== undefined)

const isOnPhone = ({ path, nav }: Page): boolean =>
  nav?.phone === 'also' || path.startsWith('/requests/') || path.startsWith('/grants/')

function NavLink({ page }: { readonly page: Page }) {
  const count = page.path === '/' ? waitingCount.value : 0
  const { page: here } = place.value
  // On a phone the page for all others stands for each of them.
  const isHere = here === page || (page.nav?.phone === 'only' && here !== undefined && !isOnPhone(here))
  return (
    <Link
      to={page.path}
      class={page.nav?.phone === undefined ? 'off-phone' : `phone-${page.nav.phone}`}
      aria-current={isHere ? 'page' : undefined}
    >
      {page.nav && <Icon name={page.nav.icon} />}
      <span class="label">{page.title}</span>
      {count > 0 && <span class="count">{count}</span>}
    </Link>
  )
}

/** Bar, navigation, and the page that the address names. */
export function Shell() {
  useEffect(
    () =>
      bindKeys([
        ...NAVIGATION.map((page) => ({
          key: `g ${page.nav?.key}`,
          says: `go to ${page.title}`,
          run: () => go(page.path),
        })),
        { key: '?', says: 'show these keys', run: openHelp },
      ]),
    [],
  )
  useEffect(followWaiting, [])
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <TopBar />
      <LockdownBanner />
      <div class="frame">
        <nav aria-label="Pages">
          {NAVIGATION.map((page) => (
            <NavLink key={page.path} page={page} />
          ))}
        </nav>
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <div class="news" role="status" aria-live="polite">
        {news.value && (
          <p key={news.value.id} class={news.value.tone}>
            {news.value.text}
          </p>
        )}
      </div>
      <Help />
      <StepUp />
    </>
  )
}
