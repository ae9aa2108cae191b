import type { ComponentChildren } from 'preact'
import type { Loaded } from './use-loaded.ts'

/** A part of a page with its heading, and what belongs to all of it at the right. */
export function Section({
  title,
  aside,
  children,
}: {
  readonly title: string
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}) {
  return (
    <section class="part" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}

/** Draws what was loaded; until then, or where that failed, says so. */
export function Show<T>({
  of,
  children,
}: {
  readonly of: Loaded<T>
  readonly children: (data: T) => ComponentChildren
}) {
  return (
    <>
      {of.error !== undefined && (
        <p class="note bad" role="alert">
          {of.error}{' '}
          <button type="button" class="quiet" onClick={of.reload}>
            Try again
          </button>
        </p>
      )}
      {of.data === undefined ? of.error === undefined && <p class="empty">Loading …</p> : children(of.data)}
    </>
  )
}
