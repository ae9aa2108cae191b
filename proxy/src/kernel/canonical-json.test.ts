import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical-json.ts'

/** JSON values as `JSON.parse` makes them; texts are well-formed. */
const json = fc.jsonValue({ maxDepth: 4 })

describe('canonical JSON', () => {
  it.each([
    [333_333_333.333_333_3, '333333333.3333333'],
    [1e30, '1e+30'],
    [4.5, '4.5'],
    [0.002, '0.002'],
    [1e-27, '1e-27'],
    [-0, '0'],
    [9_007_199_254_740_991, '9007199254740991'],
    [1e21, '1e+21'],
    [null, 'null'],
    [true, 'true'],
    [[], '[]'],
    [{}, '{}'],
    ['\u20ac$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'],
  ])('prints %j as RFC 8785 does', (value, text) => {
    expect(canonicalJson(value)).toBe(text)
  })

  it('sorts keys by UTF-16 code unit, as in RFC 8785 section 3.2.3', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
  })

  it('keeps no white space and goes all the way down', () => {
    expect(canonicalJson({ b: [1, { d: 2, c: 3 }], a: '' })).toBe('{"a":"","b":[1,{"c":3,"d":2}]}')
  })

  it('parses back to what it was', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(withoutMinusZero(value))
      }),
    )
  })

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'binary' }).filter((key) => key.isWellFormed()),
          json,
        ),
        (record) => {
          const reversed = Object.fromEntries(Object.entries(record).reverse())
          expect(canonicalJson(reversed)).toBe(canonicalJson(record))
        },
      ),
    )
  })

  it('is one text for one value: canonical text parsed and printed again is the same', () => {
    fc.assert(
      fc.property(json, (value) => canonicalJson(JSON.parse(canonicalJson(value))) === canonicalJson(value)),
    )
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a member that is undefined', { a: undefined }],
    ['a hole in a list', Array(1)],
    ['NaN', Number.NaN],
    ['Infinity', [Number.POSITIVE_INFINITY]],
    ['a function', () => 1],
    ['a big integer', 1n],
    ['a symbol', Symbol('x')],
    ['a date', new Date(0)],
    ['a map', new Map([['a', 1]])],
    ['bytes', new Uint8Array(2)],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
  ])('refuses %s', (_what, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError)
  })
})

const withoutMinusZero = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
