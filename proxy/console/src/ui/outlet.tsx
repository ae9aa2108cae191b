import { useEffect, useState } from 'preact/hooks'
import type { Page, PageComponent } from '../pages/table.ts'
import { place } from '../router.ts'
import { waitingCount } from '../state/approvals.ts'

const loaded = new Map<Page, PageComponent>()

/** The page that the address names; a page's chunk is loaded when it is first opened. */
export function Outlet() {
  const { page, params, query, path } = place.value
  const [, drawAgain] = useState(0)
  const [failed, setFailed] = useState<Page>()
  const Component = page && componentOf(page)
  useEffect(() => {
    if (page === undefined || loaded.has(page)) return
    Promise.resolve(page.load()).then(
      (module) => {
        loaded.set(page, module.default)
        drawAgain((count) => count + 1)
      },
      () => setFailed(page),
    )
  }, [page])
  const count = waitingCount.value
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ''}${page === undefined ? '' : `${page.title} · `}OAuth3`
  }, [page, count])
  if (page === undefined) return <p class="empty">There is no page {path}.</p>
  if (Component !== undefined) return <Component key={path} params={params} query={query} />
  if (failed === page) {
    return (
      <p class="empty">
        This page could not be loaded: the daemon is away, or was updated.{' '}
        <button type="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </p>
    )
  }
  return <p class="empty">Loading …</p>
}

function componentOf(page: Page): PageComponent | undefined {
  const known = loaded.get(page)
  if (known !== undefined) return known
  const given = page.isFirst ? page.load() : undefined
  if (given === undefined || given instanceof Promise) return undefined
  loaded.set(page, given.default)
  return given.default
}
