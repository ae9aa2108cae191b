import type { HeaderField } from '../../egress/index.ts'
import { isToken, wordSet } from '../../kernel/index.ts'
import { decoded } from './query-overrides.ts'

/** A request without its credential. */
export interface TakenCredential {
  /** Null: its connection tells whose the request is. */
  readonly token: string | null
  /** What is left, in order. */
  readonly fields: readonly HeaderField[]
  /** The query behind its `?`, without the credential, otherwise byte for byte; '' for none. */
  readonly query: string
}

export interface TakenToken extends TakenCredential {
  readonly token: string
}

export interface BadCredential {
  readonly problem: 'missing' | 'ambiguous' | 'elsewhere'
}

/** Where the SDKs of the vendors put a key (docs/llm-proxy.md). */
const KEY_HEADERS: ReadonlySet<string> = new Set(['x-api-key', 'x-goog-api-key', 'api-key', 'xi-api-key'])
/** OpenAI's way for browsers, which cannot set a header on a WebSocket. */
const PROTOCOL_PREFIX = 'openai-insecure-api-key.'
const BEARER = /^Bearer +([^\s,]+)$/i
/** Google's APIs read the first five; the others are commonly read. */
const KEY_PARAMETERS: ReadonlySet<string> = wordSet(`
  key $key access_token oauth_token bearer_token api_key api-key apikey auth_token`)
const MAYBE_KEY = /key|token|%/i

/**
 * Takes the agent's token out of the one place that holds it. All places are emptied whatever they hold: a second
 * credential, even the same one again, is a contradiction that the agent has to resolve, not this proxy.
 */
export function takeCredential(
  path: string,
  fields: readonly HeaderField[],
  query: string,
): TakenToken | BadCredential {
  const { found, kept, rest } = stripped(fields, query)
  const [token] = found
  if (found.length > 1) return { problem: 'ambiguous' }
  if (token === undefined || !isToken('agent', token)) return { problem: 'missing' }
  // A token that also stands in a place of no meaning would be passed on to the vendor.
  const folded = token.toLowerCase()
  const isElsewhere =
    mentions(path, token) ||
    mentions(rest, token) ||
    kept.some(({ name, value }) => value.includes(token) || name.includes(folded))
  return isElsewhere ? { problem: 'elsewhere' } : { token, fields: kept, query: rest }
}

/** Where the connection tells whose a request is, whatever stands in the places of a credential is dropped unread. */
export function dropCredentials(
  _path: string,
  fields: readonly HeaderField[],
  query: string,
): TakenCredential {
  const { kept, rest } = stripped(fields, query)
  return { token: null, fields: kept, query: rest }
}

/** Every place that may hold a credential is emptied. */
function stripped(
  fields: readonly HeaderField[],
  query: string,
): { readonly found: readonly string[]; readonly kept: readonly HeaderField[]; readonly rest: string } {
  const found: string[] = []
  const kept: HeaderField[] = []
  for (const field of fields) {
    const { name, value } = field
    if (name === 'authorization') found.push(BEARER.exec(value)?.[1] ?? '')
    else if (KEY_HEADERS.has(name)) found.push(value)
    else if (name === 'sec-websocket-protocol' && value.includes(PROTOCOL_PREFIX)) {
      const offered = value.split(',').map((part) => part.trim())
      const keys = offered.filter((part) => part.startsWith(PROTOCOL_PREFIX))
      found.push(...keys.map((part) => part.slice(PROTOCOL_PREFIX.length)))
      const rest = offered.filter((part) => !part.startsWith(PROTOCOL_PREFIX))
      if (rest.length > 0) kept.push({ name, value: rest.join(', ') })
    } else kept.push(field)
  }
  let rest = query
  if (query.length > 3 && MAYBE_KEY.test(query)) {
    rest = query
      .split('&')
      .map((part) => takenOut(part, '&', found))
      .filter((part) => part !== null)
      .join('&')
  }
  return { found, kept, rest }
}

/** What is left of a part of the query; servers differ on whether a semicolon separates. */
function takenOut(part: string, separator: '&' | ';', found: string[]): string | null {
  if (separator === '&' && part.includes(';')) {
    const left = part.split(';').map((piece) => takenOut(piece, ';', found))
    return left.filter((piece) => piece !== null).join(';')
  }
  const [name = '', value = ''] = part.split('=', 2)
  if (!KEY_PARAMETERS.has(decoded(name).trim().toLowerCase())) return part
  found.push(decoded(value))
  return null
}

/** What stands in the first header that may hold a credential, whatever it is. */
export function sentAsCredential(rawHeaders: readonly string[]): string | undefined {
  const isCredential = (text: string, at: number): boolean =>
    at % 2 === 0 && (/^authorization$/i.test(text) || KEY_HEADERS.has(text.toLowerCase()))
  const at = rawHeaders.findIndex(isCredential)
  return at === -1 ? undefined : rawHeaders[at + 1]
}

/** Of a request that carries none, and may: where one could stand there is nothing at all. */
export function withoutCredential(
  fields: readonly HeaderField[],
  query: string,
  token: string,
): TakenCredential | BadCredential {
  const isPlace = ({ name }: HeaderField): boolean => name === 'authorization' || KEY_HEADERS.has(name)
  const inQuery: string[] = []
  for (const part of query.split('&')) takenOut(part, '&', inQuery)
  return fields.some(isPlace) || inQuery.length > 0 ? { problem: 'missing' } : { token, fields, query }
}

/** As it is, or as somebody on the way may read it. */
function mentions(text: string, token: string): boolean {
  if (text.includes(token)) return true
  if (!text.includes('%')) return false
  const once = unescaped(text)
  return once.includes(token) || unescaped(once).includes(token)
}

const unescaped = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
