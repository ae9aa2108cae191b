import type { ComponentChildren } from 'preact'
import { href } from '../router.ts'

/** To a page of the console, by its path below `/console`. */
export function Link({
  to,
  children,
  ...more
}: {
  readonly to: string
  readonly children: ComponentChildren
  readonly class?: string
  readonly 'aria-current'?: 'page' | undefined
  readonly 'aria-label'?: string
  readonly title?: string
}) {
  return (
    <a href={href(to)} {...more}>
      {children}
    </a>
  )
}
