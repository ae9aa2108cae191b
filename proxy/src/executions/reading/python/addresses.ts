import { formatHostPattern, parseHostPattern } from '../../../kernel/index.ts'
import type { Source } from '../../facts/index.ts'
import { CLEAN, COMPUTED, mergeTaints, type Piece, sourceOf, type Taint, taint } from './values.ts'

/** An address taken apart: what is fixed in it, and what decides the rest. */
export interface Address {
  readonly host: string | null
  readonly hostTaint: Taint
  readonly path: string | null
  readonly pathFrom: Source | null
  readonly websocket: boolean
  /** What is put into each part. */
  readonly inUser: Taint
  readonly inHost: Taint
  readonly inPath: Taint
  readonly inQuery: Taint
  /** The fixed text of the query. */
  readonly query: string
}

const SCHEME = /^(https?|wss?):\/\//i
/** Marks an open piece while text is taken apart; Python text with it is refused before. */
const HOLE = '\0'

/**
 * A parser differential would show another host than is reached: takes an address apart as Python's clients do; null for
 * text that is no address (`file:`, `data:`, a bare path).
 */
export function addressOf(pieces: readonly Piece[]): Address | null {
  const holes: Taint[] = []
  const text = pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece.replaceAll(HOLE, '')
      holes.push(piece)
      return HOLE
    })
    .join('')
    .trim()
  const take = (part: string): Taint => {
    let out = CLEAN
    for (const char of part) if (char === HOLE) out = mergeTaints(out, holes.shift() ?? CLEAN)
    return out
  }
  const scheme = SCHEME.exec(text)
  if (scheme === null) {
    if (!text.includes(HOLE)) return null
    const at = text.indexOf('://')
    if (at >= 0 && !text.slice(0, at).includes(HOLE)) return null
    const inHost = take(text)
    return {
      host: null,
      hostTaint: inHost,
      path: null,
      pathFrom: sourceOf(inHost),
      websocket: false,
      inUser: CLEAN,
      inHost,
      inPath: CLEAN,
      inQuery: CLEAN,
      query: '',
    }
  }
  const name = (scheme[1] as string).toLowerCase()
  const rest = text.slice(scheme[0].length)
  const end = rest.search(/[/?#\\]/)
  let authority = end < 0 ? rest : rest.slice(0, end)
  let after = end < 0 ? '' : rest.slice(end)
  // `https://host` + open text: the host stands, and the path is open. The gateway holds the host in any case.
  const tail = /^([^\0]*[a-z0-9\]])\0+$/i.exec(authority)
  if (
    tail !== null &&
    /[.:]|^localhost$/.test(tail[1] as string) &&
    !(tail[1] as string).endsWith('.') &&
    !/:$/.test(tail[1] as string)
  ) {
    after = authority.slice((tail[1] as string).length) + after
    authority = tail[1] as string
  }
  const at = authority.lastIndexOf('@')
  const inUser = take(authority.slice(0, at + 1))
  const hostText = authority.slice(at + 1)
  const inHost = take(hostText)
  const secure = name === 'https' || name === 'wss'
  const host = hostText.includes(HOLE) ? null : hostOf(hostText, secure)
  const cut = after.search(/[?#]/)
  const pathText = cut < 0 ? after : after.slice(0, cut)
  const queryText = cut < 0 ? '' : after.slice(cut)
  const inPath = take(pathText)
  const inQuery = take(queryText)
  return {
    host,
    hostTaint: host === null && inHost.bits === 0 ? mergeTaints(inHost, taint(COMPUTED)) : inHost,
    ...pathOf(pathText, inPath),
    websocket: name.startsWith('ws'),
    inUser,
    inHost,
    inPath,
    inQuery,
    query: queryText.replaceAll(HOLE, ''),
  }
}

/** The path pattern of text with marks where it is open. */
function pathOf(text: string, of: Taint): { path: string | null; pathFrom: Source | null } {
  if (text === '') return { path: '/', pathFrom: null }
  if (/^\0+$/.test(text)) return { path: null, pathFrom: sourceOf(of) }
  const path = text
    .split('/')
    .map((segment) => (segment.includes(HOLE) ? '*' : segment))
    .join('/')
  return { path: path.startsWith('/') ? path : `/${path}`, pathFrom: null }
}

/** Canonical, as the consent writes hosts; null for what is no host. */
function hostOf(text: string, secure: boolean): string | null {
  const bare = asciiHost(text).replace(/:(443|80)$/, (port) =>
    port === (secure ? ':443' : ':80') ? '' : port,
  )
  const found = parseHostPattern(secure ? bare : `http://${bare}`)
  return 'problem' in found || found.wildcard ? null : formatHostPattern(found)
}

/** The name as IDNA writes it, which maps other dots and full-width letters to plain ones. */
function asciiHost(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase()
  if (/^[\x21-\x7e]*$/.test(lower)) return lower
  try {
    return new URL(`https://${lower}`).host
  } catch {
    return ''
  }
}
