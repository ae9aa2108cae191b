import type { ServerResponse } from 'node:http'

/** Of the browser's, which no page of ours uses. */
const NO_FEATURES = ['camera', 'microphone', 'geolocation', 'payment', 'usb'] as const

/** On whatever an origin of pages answers, beside its own policies (clickjacking, leaks across windows and by Referer). */
export function setPageHeaders(response: ServerResponse, isSecure: boolean): void {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('X-Frame-Options', 'DENY')
  response.setHeader('Referrer-Policy', 'no-referrer')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  if (isSecure) response.setHeader('Strict-Transport-Security', 'max-age=31536000')
}

/** The value of Permissions-Policy: none of these. */
export const withoutFeatures = (...more: readonly string[]): string =>
  [...NO_FEATURES, ...more].map((name) => `${name}=()`).join(', ')
