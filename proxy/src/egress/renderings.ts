/** How a value is written in each part of a request; null where it cannot stand without breaking that part. */

/** Visible ASCII and blanks: other bytes end the field, or come back in a form that answers are not searched for. */
export const asHeaderValue = (value: string): string | null => (/^[\x20-\x7e]*$/.test(value) ? value : null)

/** For a query and a form: everything but RFC 3986's unreserved characters is encoded. */
export function asPercentEncoded(value: string): string {
  const bytes = Buffer.from(value).toString('latin1')
  return bytes.replace(
    /[^A-Za-z0-9._~-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** For a segment of a path: a slash in it stays in it. */
export const asPathSegment = (value: string): string =>
  asPercentEncoded(value).replace(/%3A/g, ':').replace(/%40/g, '@')

/** Characters that end a cookie, or that servers take quotes off for, are encoded with all others (RFC 6265, 4.1.1). */
export const asCookieValue = (value: string): string =>
  /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value) ? value : asPercentEncoded(value)

const inJsonString = (value: string): string => JSON.stringify(value).slice(1, -1)

export const isForm = (contentType: string): boolean =>
  /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType)

/** What begins a message in which values stand in JSON, also behind the numbers that Socket.IO puts before it. */
const JSON_MESSAGE = /^\s*\d*-?\s*[[{"]/

/** The text that stands for a value in a WebSocket message that begins so. */
export const messageRendering = (beginning: string): ((value: string) => string) =>
  JSON_MESSAGE.test(beginning) ? inJsonString : (value) => value

/** The text that stands for a value in a body of this content type. */
export function bodyRendering(contentType: string): (value: string) => string {
  const [essence = ''] = contentType.toLowerCase().split(';', 1)
  const [, subtype = ''] = essence.trim().split('/')
  if (/(^|[+-])(json|jsonl|ndjson|json-seq)$/.test(subtype)) return inJsonString
  if (isForm(contentType)) return asPercentEncoded
  return (value) => value
}

const BASIC = /^basic +(.+)$/i

/** What `Authorization: Basic …` says to a lenient reader, as bytes in latin1; null for anything else. */
export function basicCredentials(value: string): string | null {
  const encoded = BASIC.exec(value)?.[1]
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('latin1')
}

export const formatBasic = (credentials: string): string =>
  `Basic ${Buffer.from(credentials, 'latin1').toString('base64')}`

/** A value among the credentials: its UTF-8 bytes, as latin1. */
export const asBasicPart = (value: string): string => Buffer.from(value).toString('latin1')
