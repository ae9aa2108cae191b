import { computed, signal } from '@preact/signals'
import { PAGES, type Page } from './pages/table.ts'

const BASE = '/console'

/** Below `/console`, with its leading slash. */
const ownPath = (pathname: string): string => pathname.slice(BASE.length).replace(/\/+$/, '') || '/'

const location = signal({ path: ownPath(globalThis.location.pathname), search: globalThis.location.search })

export interface Place {
  readonly page: Page | undefined
  /** What `:name` of its path stands for. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly path: string
}

function matched(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    if (part.startsWith(':')) {
      try {
        params[part.slice(1)] = decodeURIComponent(value)
      } catch {
        return undefined
      }
    } else if (part !== value) return undefined
  }
  return params
}

export const place = computed<Place>(() => {
  const { path, search } = location.value
  const query = new URLSearchParams(search)
  for (const page of PAGES) {
    const params = matched(page.path, path)
    if (params !== undefined) return { page, params, query, path }
  }
  return { page: undefined, params: {}, query, path }
})

/** The address of a page: `href('/requests/req_1')`. */
export const href = (path: string): string => `${BASE}${path}`

export function go(path: string, { replace = false }: { replace?: boolean } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', href(path))
  read()
  scrollTo(0, 0)
}

function read(): void {
  location.value = { path: ownPath(globalThis.location.pathname), search: globalThis.location.search }
}

export function startRouter(): void {
  addEventListener('popstate', read)
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.target !== '' || link.hasAttribute('download')) return
    if (link.origin !== globalThis.location.origin || !`${link.pathname}/`.startsWith(`${BASE}/`)) return
    // Links within the page, such as the skip link.
    if (link.getAttribute('href')?.startsWith('#')) return
    event.preventDefault()
    go(`${ownPath(link.pathname)}${link.search}`)
  })
}
