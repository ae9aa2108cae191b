/**
 * The tokens that this daemon gives out and knows its callers by, and their forms: one table, by which they are made, read, and cut out of
 * texts. One that were made elsewhere would stand uncut in whatever a machine prints (`own-tokens.test.ts` looks for such).
 */
import { randomToken } from './ids.ts'

/** What each begins with. */
export const TOKEN_PREFIX = {
  agent: 'oa3_',
  app: 'cf_',
  /** A key of a program that acts for an account. */
  access_key: 'oc_',
  /** Opens one WebSocket or page, once. */
  ticket: 'ot_',
  /** Names the session that it refreshes. */
  refresh: 'or_',
} as const

type TokenKind = keyof typeof TOKEN_PREFIX

const RANDOM_BITS = 256
/** Of `RANDOM_BITS`, as base64url. */
const RANDOM_CHARS = 43
const RANDOM = String.raw`[\w-]{${RANDOM_CHARS}}`
const SESSION = 'ses_[0-9a-f]{16}'
const formOf = (kind: TokenKind): string =>
  `${TOKEN_PREFIX[kind]}${kind === 'refresh' ? `${SESSION}_` : ''}${RANDOM}`
const KINDS = Object.keys(TOKEN_PREFIX) as TokenKind[]
const FORMS = new Map(KINDS.map((kind) => [kind, new RegExp(`^${formOf(kind)}$`)]))

/** A character that a program, JSON or an address spells out. */
const SPELLED = String.raw`\\[bfnrt]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}`
/** What colours a terminal (ECMA-48, CSI), whose last letter is none of a word; as it is, or spelled out. */
const COLOUR = String.raw`(?:(?:\x1b|\\x1[bB]|\\u001[bB]|\\033|\\e|%1[bB])(?:\[|%5[bB])|\x9b)[0-9;:?]{0,32}[A-Za-z]`
/** Behind the end of a word, or of one of those. */
const BEGIN = `(?:(?<![A-Za-z0-9])|(?<=${SPELLED})|(?<=${COLOUR}))`
/** Access tokens are JWT (RFC 7519), with a signature of 256 bits. Bounded, since a machine may write beginnings alone (ReDoS). */
const JWT = String.raw`eyJ[\w-]{10,256}\.[\w-]{10,1024}\.[\w-]{43}`
const ANY = new RegExp(`${BEGIN}(?:${[...KINDS.map(formOf), JWT].join('|')})`, 'g')
/** What a text was cut in: enough of one to know it by its beginning. */
const CUT = new RegExp(
  `${BEGIN}(?:(?:${Object.values(TOKEN_PREFIX).join('|')})[\\w-]{4,64}|eyJ[\\w.-]{10,1024})(?=\\n?$)`,
)

export const newToken = (kind: Exclude<TokenKind, 'refresh'>): string =>
  `${TOKEN_PREFIX[kind]}${randomToken(RANDOM_BITS)}`

/** `session`: `ses_` and 16 hex digits. */
export const newRefreshToken = (session: string): string =>
  `${TOKEN_PREFIX.refresh}${session}_${randomToken(RANDOM_BITS)}`

/** By its form alone; whether it is good is another question. */
export const isToken = (kind: TokenKind, text: string): boolean => FORMS.get(kind)?.test(text) === true

/** The token of an Authorization header (RFC 6750, 2.1); undefined where it holds none of that form. */
export function bearerTokenOf(kind: TokenKind, authorization: string | undefined): string | undefined {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
  return token !== undefined && isToken(kind, token) ? token : undefined
}

/** Which session a refresh token names; undefined for a text of another form. */
export const sessionOfRefreshToken = (text: string): string | undefined =>
  isToken('refresh', text) ? text.slice(TOKEN_PREFIX.refresh.length, -(RANDOM_CHARS + 1)) : undefined

/** Whatever has the form of a token of ours, or of an access token, is cut out; of a text that was cut at its end a beginning of one, too. */
export function withoutTokens(
  text: string,
  { isCut }: { readonly isCut: boolean } = { isCut: false },
): string {
  const clean = text.replace(ANY, '[token]')
  return isCut ? clean.replace(CUT, '[token]') : clean
}
