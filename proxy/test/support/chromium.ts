import { existsSync } from 'node:fs'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const
export const DESKTOP = { viewport: { width: 1280, height: 900 } } as const

/** It asks nobody but the daemon. */
export const CHROMIUM_ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/** Where a browser is that tests can drive; undefined where there is none. */
export const chromiumBinary = (): string | undefined =>
  [process.env.CHROMIUM ?? '', ...PLACES].find((place) => place !== '' && existsSync(place))

/** Why there is no browser here, for a person; undefined when there is. With OAUTH3_REQUIRE_CHROMIUM=1 it throws instead. */
export function withoutChromium(): string | undefined {
  if (chromiumBinary() !== undefined) return undefined
  const reason = 'no Chromium in /usr/bin (Debian: chromium)'
  if (process.env.OAUTH3_REQUIRE_CHROMIUM === '1') throw new Error(reason)
  return reason
}
