/** A picture of a page of the console, `docs/images/console-NAME.png`. */
export interface Shot {
  readonly name: string
  /** As in `PAGES` of the console; what stands behind a colon is filled in. */
  readonly page: string
  readonly size: 'phone' | 'desktop'
  readonly look?: 'dark'
  /** What is there once the page is drawn. */
  readonly sign: string
}

export const SHOTS: readonly Shot[] = [
  { name: 'inbox-phone', page: '/', size: 'phone', sign: '.card .decision' },
  { name: 'inbox-desktop', page: '/', size: 'desktop', sign: '.card .decision' },
  { name: 'request-phone', page: '/requests/:id', size: 'phone', look: 'dark', sign: '.changed' },
  { name: 'request-desktop', page: '/requests/:id', size: 'desktop', sign: '.code .line' },
  { name: 'history-desktop', page: '/history', size: 'desktop', sign: '.row' },
  { name: 'grants-desktop', page: '/grants', size: 'desktop', sign: 'table' },
  { name: 'secrets-desktop', page: '/secrets', size: 'desktop', sign: 'table' },
  { name: 'usage-desktop', page: '/usage', size: 'desktop', look: 'dark', sign: 'canvas' },
  { name: 'audit-desktop', page: '/audit', size: 'desktop', sign: '.audit li' },
]

/** Written beside the pictures: what the console was when they were taken. */
export interface Manifest {
  readonly shots: readonly Shot[]
  /** The navigation, which is on every picture. */
  readonly navigation: readonly string[]
}

export const MAX_BYTES = 150_000
