import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  bearerTokenOf,
  isToken,
  newRefreshToken,
  newToken,
  sessionOfRefreshToken,
  TOKEN_PREFIX,
  withoutTokens,
} from './index.ts'

const SESSION = 'ses_0123456789abcdef'
const MADE = [
  ...(['agent', 'app', 'access_key', 'ticket'] as const).map((kind) => [kind, newToken(kind)] as const),
  ['refresh', newRefreshToken(SESSION)] as const,
]

describe('a token of ours', () => {
  it.each(MADE)('of the kind %s is known by its form, and cut out of any text', (kind, token) => {
    expect(token.startsWith(TOKEN_PREFIX[kind])).toBe(true)
    expect(MADE.filter(([other]) => isToken(other, token))).toEqual([[kind, token]])
    for (const other of [`${token}x`, `${token}\n`, ` ${token}`]) expect(isToken(kind, other)).toBe(false)
    expect(bearerTokenOf(kind, `bearer ${token}`)).toBe(token)
    for (const authorization of [undefined, token, `Bearer ${token} `, `Bearer  ${token}`, `Basic ${token}`])
      expect(bearerTokenOf(kind, authorization)).toBeUndefined()
    const coloured = [
      '\x1b[31m',
      '\x1b[01;31m\x1b[K',
      '\\u001b[1m',
      '\\x1b[0m',
      '\\033[0m',
      '\\e[K',
      '%1B%5b0m',
      '\x9b4m',
    ]
    for (const before of [' ', 'A_', '\\n', '\\u003d', '%3D', '"', '/', '\\x3d', ...coloured])
      expect(withoutTokens(`x${before}${token}"`)).toBe(`x${before}[token]"`)
  })

  // ReDoS: each of many beginnings would be followed to the end of the text.
  it.each([
    [256, 1_024, '[token]'],
    [257, 10, 'eyJ'],
    [10, 1_025, 'eyJ'],
  ])('is looked for as an access token of parts of %i and %i characters at most', (head, body, begins) => {
    const token = `eyJ${'a'.repeat(head)}.${'b'.repeat(body)}.${'c'.repeat(43)}`
    expect(withoutTokens(token).startsWith(begins)).toBe(true)
  })

  it('names its session where it refreshes one', () => {
    expect(sessionOfRefreshToken(newRefreshToken(SESSION))).toBe(SESSION)
    expect(MADE.filter(([, token]) => sessionOfRefreshToken(token) === undefined)).toHaveLength(4)
  })
})

describe('the sources', () => {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url))
  const TABLE = 'src/kernel/own-tokens.ts'
  /** What is no token: keys of a demo, a placeholder; or has no form: a code that stands in a link, the value of a cookie. */
  const OTHERS = [
    'src/demo/claude-demo.ts',
    'src/demo/host-demo.ts',
    'src/egress/placeholder.ts',
    'src/hosting/bots/agent-bots.ts',
    'src/http/agent-pages/page-visits.ts',
    'src/identity/sessions/sessions.ts',
  ]
  const PREFIXES = Object.values(TOKEN_PREFIX).join('|')
  const NAMED = new RegExp(`(?<![\\w-])(?:${PREFIXES})(?!…)`)
  /** 128 bits are the id of a run; of a number that is not written here nobody knows. */
  const LONG = /randomToken\((?!\d{1,2}\)|1[01]\d\)|12[0-8]\))/
  /** A text right before the random part. */
  const PREFIXED = /[\w-]\$\{randomBytes\((?!\d\)|1\d\)|2[0-3]\))/
  const isMade = (text: string): boolean => NAMED.test(text) || LONG.test(text) || PREFIXED.test(text)

  it('make no token and know none by its form outside of the table', () => {
    const sources = globSync('{src,console/src}/**/*.{ts,tsx}', { cwd: ROOT })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => !/\.test\.tsx?$/.test(path) && path !== TABLE && path !== 'src/kernel/ids.ts')
    expect(sources.length).toBeGreaterThan(800)
    expect(sources.filter((path) => isMade(readFileSync(`${ROOT}/${path}`, 'utf8'))).sort()).toEqual(OTHERS)
  })

  const template = (prefix: string, call: string): string => ['`', prefix, '${', call, '}`'].join('')

  it.each([
    template('nt_', 'randomToken(256)'),
    'const made = randomToken(BITS)',
    'const FORM = /^Bearer (oa3_[\\w-]{43})$/',
    "text.startsWith('oc_')",
    template('nt_', 'randomBytes(32).toString("hex")'),
  ])('would be seen to by %s', (source) => {
    expect(isMade(source)).toBe(true)
  })

  it.each([
    template('sck_', 'randomToken(64)'),
    'randomToken(128)',
    template('call_', 'randomBytes(16)'),
    'Send oa3_….',
  ])('may hold %s', (source) => {
    expect(isMade(source)).toBe(false)
  })
})
