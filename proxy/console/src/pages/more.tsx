import { Icon, type IconName } from '../ui/icon.tsx'
import { Link } from '../ui/link.tsx'
import { PAGES } from './table.ts'

const SAYS: Readonly<Record<string, readonly [says: string, icon?: IconName]>> = {
  '/agents': ['Who may ask, and their tokens'],
  '/providers': ['LLM vendors, and your keys there'],
  '/skills': ['Registries, and code that they sign'],
  '/apps': ['Programs whose prompts run here'],
  '/runs': ['Prompts that Claude Code ran'],
  '/usage': ['Requests, tokens and money'],
  '/audit': ['All that happened'],
  '/settings': ['Notifications, sessions, upkeep'],
  '/passkeys': ['What signs you in', 'secret'],
  '/prices': ['What a million tokens cost', 'usage'],
  '/hosts': ['Agents that live here', 'agent'],
  '/account': ['What signs you and your programs in', 'secret'],
  '/tenants': ['Others on this daemon', 'agent'],
  '/try': ['The card of a program, unasked', 'inbox'],
}

/** Every page that a phone's navigation has no room for. */
export default function More() {
  const pages = PAGES.filter(({ path, nav }) => path in SAYS && nav?.phone === undefined)
  return (
    <>
      <h1>More</h1>
      <ul class="tiles">
        {pages.map(({ path, title, nav }) => {
          const [says, icon = 'more'] = SAYS[path] ?? ['']
          return (
            <li key={path}>
              <Link to={path} class="tile">
                <Icon name={nav?.icon ?? icon} />
                <span>
                  <b>{title}</b>
                  <span class="soft">{says}</span>
                </span>
              </Link>
            </li>
          )
        })}
      </ul>
    </>
  )
}
