import { isReservedName, SECRET_NAME, wordSet } from '../../kernel/index.ts'
import { hostToFetch } from './public-host.ts'

/** What a run asks the daemon to send, as its arguments say it. */
export interface OwnRequest {
  readonly url: URL
  /** Canonical pattern of a host. */
  readonly host: string
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | null
  /** Names of the secrets whose places are in headers or body, in the order of the alphabet. */
  readonly secrets: readonly string[]
}

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const MEMBERS: ReadonlySet<string> = new Set(['url', 'method', 'headers', 'body'])
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/
/** Visible ASCII and blanks: what else a server reads there is its own affair (request smuggling). */
const HEADER_VALUE = /^[\t\x20-\x7e]{0,8192}$/
const MAX_HEADERS = 32
/** Of an address, in a refusal. */
const MAX_SHOWN_CHARS = 500
/** Who sends it says these. */
const OURS: ReadonlySet<string> = wordSet(`
  host content-length transfer-encoding connection keep-alive proxy-authorization proxy-connection te trailer upgrade expect
  accept-encoding cookie2`)
const PLACE = /\{\{([^{}]*)\}\}/g

/** The problem completes a sentence that begins with `The request`. Fails closed: what is not understood whole is a problem. */
export function readOwnRequest(
  input: Readonly<Record<string, unknown>>,
): OwnRequest | { readonly problem: string } {
  const { url: address, method, headers = {}, body = null } = input
  const unknown = Object.keys(input).find((name) => !MEMBERS.has(name))
  if (unknown !== undefined) return { problem: `takes no ${JSON.stringify(unknown.slice(0, 64))}` }
  const host = hostToFetch(address)
  if ('problem' in host) return host
  const url = new URL(address as string)
  if (url.href.includes('{{') || /%7b%7b/i.test(url.href))
    return { problem: 'has a secret in its address; one goes into a header or the body' }
  // What a person reads is what is sent: no part that is left out, resolved, or written otherwise on the way.
  const sent = url.origin + url.pathname + url.search
  if (address !== sent && `${address}/` !== sent)
    return { problem: `takes its address as it is sent: ${sent.slice(0, MAX_SHOWN_CHARS)}` }
  if (typeof method !== 'string' || !METHODS.includes(method))
    return { problem: `takes a method of ${METHODS.join(', ')}` }
  if (body !== null && typeof body !== 'string') return { problem: 'takes a text as its body' }
  const fields = fieldsOf(headers)
  if ('problem' in fields) return fields
  const secrets = secretsIn([...fields.map(([, value]) => value), body ?? ''])
  return 'problem' in secrets ? secrets : { url, ...host, method, headers: fields, body, secrets }
}

function fieldsOf(headers: unknown): readonly (readonly [string, string])[] | { readonly problem: string } {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    return { problem: 'takes its headers as names and values' }
  const fields: [string, string][] = []
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(headers as Record<string, unknown>)) {
    const key = name.toLowerCase()
    if (!HEADER_NAME.test(name) || OURS.has(key) || seen.has(key))
      return { problem: `cannot have the header ${JSON.stringify(name.slice(0, 64))}` }
    if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      return { problem: `has a value of ${name} that no header can have` }
    seen.add(key)
    fields.push([name, value])
  }
  return fields.length > MAX_HEADERS ? { problem: `has more than ${MAX_HEADERS} headers` } : fields
}

function secretsIn(texts: readonly string[]): readonly string[] | { readonly problem: string } {
  const names = new Set<string>()
  for (const [, name = ''] of texts.flatMap((text) => [...text.matchAll(PLACE)])) {
    if (!SECRET_NAME.test(name) || isReservedName(name))
      return { problem: `names ${JSON.stringify(name.slice(0, 64))}, which no secret is called` }
    names.add(name)
  }
  return [...names].sort()
}

/** The text with what stands for each secret in its places. */
export const withPlaces = (text: string, placeOf: (name: string) => string): string =>
  text.replace(PLACE, (_, name: string) => placeOf(name))
