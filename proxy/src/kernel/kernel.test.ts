import { inspect } from 'node:util'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { formatBytes } from './bytes.ts'
import { isReservedName, SECRET_NAME } from './env-names.ts'
import { AppError, ERROR_TABLE } from './errors.ts'
import { newAgentId, newRequestId, randomToken, sha256Hex } from './ids.ts'
import { SecretValue } from './secret-value.ts'
import { hasHiddenCharacters, oneLine, visibleText } from './visible-text.ts'

describe('a number of bytes', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KiB'],
    [1_536, '1.5 KiB'],
    [1_048_575, '1.0 MiB'],
    [3 * 1_048_576, '3.0 MiB'],
    [1_073_741_824, '1.0 GiB'],
    [5_000 * 1_099_511_627_776, '5000.0 TiB'],
  ])('is told in the largest unit that it fills: %d', (bytes, said) => {
    expect(formatBytes(bytes)).toBe(said)
  })
})

describe('names for the environment', () => {
  it.each([
    ...[
      'HOME',
      'PATH',
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'DYLD_INSERT_LIBRARIES',
      'DENO_DIR',
      'DENO_CERT',
      'NODE_OPTIONS',
    ],
    ...[
      'NODE_EXTRA_CA_CERTS',
      'OAUTH3_ARGS',
      'OAUTH3_TOKEN',
      'HTTP_PROXY',
      'https_proxy',
      'ALL_PROXY',
      'NO_PROXY',
      'home',
    ],
    ...[
      'Ld_Preload',
      'V8_FLAGS',
      'LC_ALL',
      'SSL_CERT_FILE',
      'SSLKEYLOGFILE',
      'TMPDIR',
      'PYTHONPATH',
      'BASH_ENV',
      'IFS',
    ],
    ...[
      'NPM_CONFIG_REGISTRY',
      'npm_config_registry',
      'XDG_CACHE_HOME',
      'PROMPT_COMMAND',
      '__proto__',
      'constructor',
      'prototype',
    ],
  ])('keeps %s for the runtime', (name) => {
    expect(isReservedName(name)).toBe(true)
  })

  it.each([
    'OPENAI_API_KEY',
    'HOMEPAGE_TOKEN',
    'PATHS',
    'MY_PATH',
    'GITHUB_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'proxy',
    '_x',
  ])('leaves %s to the owner', (name) => {
    expect(isReservedName(name)).toBe(false)
    expect(name).toMatch(SECRET_NAME)
  })

  it.each(['', '1KEY', 'A-B', 'A B', 'A=B', 'KEY\n', 'KÉY', 'A.B', 'K\u200bEY', 'КEY', 'A'.repeat(129)])(
    'does not take %j for a name',
    (name) => {
      expect(name).not.toMatch(SECRET_NAME)
    },
  )
})

describe('visible text', () => {
  it('writes out every character that a screen hides or that reorders it', () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      const char = String.fromCodePoint(point)
      const kept = char === '\n' || char === '\t'
      const hides = /[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(char)
      if (hides && !kept && !hasHiddenCharacters(char)) expect.fail(`U+${point.toString(16)} stays hidden`)
    }
  })

  it.each([
    ['a\u202eb', 'a⟨U+202E⟩b'],
    ['a\u200bb', 'a⟨U+200B⟩b'],
    ['\ufeffa', '⟨U+FEFF⟩a'],
    ['a\r\n', 'a⟨U+000D⟩\n'],
    ['\u2800', '⟨U+2800⟩'],
    ['\u{e0041}', '⟨U+E0041⟩'],
    ['\u001b[31m', '⟨U+001B⟩[31m'],
    ['tab\tand\nline', 'tab\tand\nline'],
    ['\ud800', '\ufffd'],
    ['Grüße 😀 日本', 'Grüße 😀 日本'],
  ])('shows %j as %j', (text, seen) => {
    expect(visibleText(text)).toBe(seen)
    expect(hasHiddenCharacters(seen)).toBe(false)
  })

  it('cuts one line to its limit and says so', () => {
    expect(oneLine('short\n  text ', 20)).toBe('short text')
    expect(oneLine('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`)
    expect([...oneLine('😀'.repeat(50), 10)]).toHaveLength(10)
  })

  it('says so too when a run of blanks pushed the rest out', () => {
    expect(oneLine(`harmless${' '.repeat(500)}and the rest`, 20)).toMatch(/…$/)
    expect(oneLine(`${' '.repeat(500)}rest`, 20)).toMatch(/…$/)
  })
})

describe('the table of errors', () => {
  it('gives every code a status, an exit code and a sentence', () => {
    for (const [code, entry] of Object.entries(ERROR_TABLE)) {
      expect(code).toMatch(/^[a-z_]+$/)
      expect(entry.status).toBeGreaterThanOrEqual(400)
      expect(entry.status).toBeLessThan(600)
      expect([1, 2, 4, 5]).toContain(entry.exit)
      expect(entry.help).toMatch(/^[A-Z].*\.$/)
      if (entry.status === 404) expect(entry.exit).toBe(4)
    }
  })

  it('knows every code of the contract', () => {
    const status = (code: keyof typeof ERROR_TABLE): number => new AppError(code, 'x').status
    expect([status('invalid_request'), status('unauthenticated'), status('address_not_allowed')]).toEqual([
      400, 401, 403,
    ])
    expect([status('not_found'), status('code_hash_mismatch'), status('idempotency_conflict')]).toEqual([
      404, 409, 409,
    ])
    expect([status('too_large'), status('unknown_runtime'), status('rate_limited')]).toEqual([413, 422, 429])
    expect(status('sandbox_unavailable')).toBe(503)
  })

  it('has one shape on every outside, without a cause', () => {
    const error = new AppError('conflict', 'No.', { cause: new Error('inner'), details: { a: 1 } })
    expect(error.toBody()).toEqual({ error: { code: 'conflict', message: 'No.', details: { a: 1 } } })
    expect(new AppError('conflict', 'No.').toBody()).toEqual({ error: { code: 'conflict', message: 'No.' } })
  })
})

describe('a secret value', () => {
  const plaintext = 'demo-value-that-must-not-print'
  const value = new SecretValue(plaintext)

  it('opens to its plaintext', () => {
    expect(value.open()).toBe(plaintext)
  })

  it.each<[string, () => string]>([
    ['JSON', () => JSON.stringify({ value, list: [value] })],
    ['a template', () => `${value}`],
    ['concatenation', () => `x${String(value)}`],
    ['inspect', () => inspect({ deep: { value } }, { depth: 9, showHidden: true })],
    [
      'inspect without custom printers',
      () => inspect(value, { customInspect: false, showHidden: true, depth: 9 }),
    ],
    ['keys and entries', () => JSON.stringify([Object.entries(value), Reflect.ownKeys(value)])],
    ['a spread', () => JSON.stringify({ ...value })],
    ['an error', () => inspect(new Error(`bad ${value}`, { cause: { value } }))],
    [
      'the cause of an AppError',
      () => inspect(new AppError('internal', 'x', { cause: value, details: { value } })),
    ],
    [
      'the body of an AppError',
      () => JSON.stringify(new AppError('internal', 'x', { details: { value } }).toBody()),
    ],
    ['a map', () => inspect(new Map([['KEY', value]]), { showHidden: true })],
    ['pino', () => logged({ value, err: new Error('x', { cause: value }) })],
  ])('does not print through %s', (_way, print) => {
    expect(print()).not.toContain(plaintext)
  })

  it('cannot be cloned out of the process', () => {
    expect(JSON.stringify(structuredClone(value))).not.toContain(plaintext)
  })
})

function logged(fields: object): string {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  log.info(fields, 'with fields')
  log.error(fields)
  log.child({ bound: fields }).warn('%s %j %o', fields, fields, fields)
  expect(lines).toHaveLength(3)
  return lines.join('')
}

describe('ids', () => {
  it('are long, random and of their form', () => {
    expect(newRequestId()).toMatch(/^req_[0-9a-f]{32}$/)
    expect(newAgentId()).toMatch(/^agt_[0-9a-f]{16}$/)
    expect(randomToken(256)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    // Bits, and not bytes: a name of so few is found again by chance.
    expect(() => randomToken(16)).toThrow('at least 48')
    expect(new Set(Array.from({ length: 1_000 }, newRequestId)).size).toBe(1_000)
  })

  it('hash text as its UTF-8 bytes', () => {
    expect(sha256Hex('ä\r\n')).toBe(sha256Hex(Buffer.from([0xc3, 0xa4, 0x0d, 0x0a])))
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })
})
