import type { ServerResponse } from 'node:http'

/** Of the browser's, which no page uses: the value of Permissions-Policy. */
export const NO_FEATURES = ['camera', 'microphone', 'geolocation', 'payment', 'usb', 'serial', 'hid', 'midi']
  .map((name) => `${name}=()`)
  .join(', ')

/** On whatever an origin of pages answers, beside its own policies (clickjacking, leaks across windows and by Referer). */
export function setPageHeaders(response: ServerResponse, isSecure: boolean): void {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('X-Frame-Options', 'DENY')
  response.setHeader('Referrer-Policy', 'no-referrer')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  if (isSecure) response.setHeader('Strict-Transport-Security', 'max-age=31536000')
}
