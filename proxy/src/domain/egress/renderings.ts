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

const inJsonString = (value: string): string => JSON.stringify(value).slice(1, -1)

/** The text that stands for a value in a body of this content type. */
export function bodyRendering(contentType: string): (value: string) => string {
  const [essence = ''] = contentType.toLowerCase().split(';', 1)
  const [, subtype = ''] = essence.trim().split('/')
  if (/(^|[+-])(json|jsonl|ndjson|json-seq)$/.test(subtype)) return inJsonString
  if (subtype === 'x-www-form-urlencoded') return asPercentEncoded
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
