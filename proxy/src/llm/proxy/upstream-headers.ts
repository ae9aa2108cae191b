import {
  codingsOf,
  declaredBody,
  type HeaderField,
  isHopByHop,
  namedByConnection,
} from '../../egress/index.ts'
import { wordSet } from '../../kernel/index.ts'
import type { Provider, SeatAuth } from '../providers/index.ts'

/** What becomes of the fields of a request that has lost its credential. */
export interface UpstreamHead {
  /** Flat name, value …, without the key: that is put in at the very end. */
  readonly headers: string[]
  /** Bytes that are announced; null when the body comes in chunks; 0 when there is none. */
  readonly bodyBytes: number | null
  readonly contentType: string
  readonly isEncoded: boolean
  /** Of `Prefer: wait=N`, in seconds. */
  readonly waitSeconds: number | null
}

/**
 * `content-length` is set by who sends the body; answers are wanted in a form that can be searched as it comes, and
 * whole: a key that is echoed in pieces of ranges would not be found in any of them.
 */
const OURS: ReadonlySet<string> = wordSet('host content-length expect accept-encoding range if-range')

/**
 * A server that heeds one of these does something else than the request line says, which is what was evaluated. Those that read
 * headers as CGI writes them (RFC 3875, 4.1.18) take an underscore for a hyphen.
 */
const OTHER_REQUEST: ReadonlySet<string> = wordSet(`
  x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url x-original-uri`)

/** Null when the request says something in two ways, or in a way that two readers could take differently. */
export function upstreamHead(fields: readonly HeaderField[], websocket: boolean): UpstreamHead | null {
  const body = declaredBody(fields)
  if (body === null) return null
  const named = fields.some(({ name }) => name === 'connection') ? namedByConnection(fields) : NOBODY
  if (named === null) return null
  const headers: string[] = []
  let contentType: string | null = null
  let encoding: string | null = null
  let waitSeconds: number | null = null
  for (const { name, value } of fields) {
    if (OTHER_REQUEST.has(name.includes('_') ? name.replaceAll('_', '-') : name)) continue
    if (name === 'content-type') {
      if (contentType !== null) return null
      contentType = value.toLowerCase()
    } else if (name === 'content-encoding') {
      if (encoding !== null) return null
      encoding = value.toLowerCase()
    } else if (name === 'prefer') {
      const wait = /^\s*wait=([0-9]{1,5})\s*$/.exec(value)
      if (wait !== null) {
        waitSeconds = Number(wait[1])
        continue
      }
    }
    const isAsked = websocket && name === 'upgrade'
    if (OURS.has(name) || ((named.has(name) || isHopByHop(name)) && !isAsked)) continue
    if (websocket && name === 'sec-websocket-extensions') continue
    headers.push(name, value)
  }
  headers.push('accept-encoding', 'identity')
  if (websocket) headers.push('connection', 'upgrade')
  return {
    headers,
    bodyBytes: body.kind === 'none' ? 0 : body.kind === 'length' ? body.bytes : null,
    contentType: contentType ?? '',
    isEncoded: encoding !== null && codingsOf(encoding).length > 0,
    waitSeconds,
  }
}

const NOBODY: ReadonlySet<string> = new Set()

/** The vendor's key in the vendor's place, or a seat's token in the place of those, and nothing of the agent's beside it. */
export function putKey(headers: string[], provider: Provider, key: string, isSeat = false): void {
  const { auth, seat } = provider
  if (isSeat) {
    if (seat === undefined) throw new Error(`${provider.name} has no seats`)
    if (auth.kind === 'header') dropField(headers, auth.name)
    addWord(headers, seat)
    setField(headers, 'authorization', `Bearer ${key}`)
  } else if (auth.kind === 'header') setField(headers, auth.name.toLowerCase(), key)
  else if (auth.kind === 'bearer') setField(headers, 'authorization', `Bearer ${key}`)
}

function setField(headers: string[], name: string, value: string): void {
  dropField(headers, name)
  headers.push(name, value)
}

function dropField(headers: string[], name: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at]?.toLowerCase() === name.toLowerCase()) headers.splice(at, 2)
  }
}

/** What the client says there itself stays. */
function addWord(headers: string[], { header, word }: SeatAuth): void {
  const words: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === header) words.push(headers[at + 1] as string)
  }
  dropField(headers, header)
  const has = words.some((list) => list.split(',').some((one) => one.trim() === word))
  headers.push(header, [...words, ...(has ? [] : [word])].join(','))
}
