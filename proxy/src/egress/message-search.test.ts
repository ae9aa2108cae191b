import { describe, expect, it } from 'vitest'
import { createScrubber } from '../scrub/index.ts'
import { createMessageSearch } from './message-search.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const scrubber = createScrubber(new Map([['KEY', SECRET]]))

/** In pieces of this many bytes; all at once without. */
function searched(body: string, size = body.length): string {
  const bytes = Buffer.from(body, 'latin1')
  const search = createMessageSearch(scrubber)
  const out: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) out.push(search.push(bytes.subarray(at, at + size)))
  return Buffer.concat([...out, search.end()]).toString('latin1')
}

describe('bytes that only say that they are messages', () => {
  const before = ['', 'a', 'ab', 'abc', 'abcd', 'abcde', '\0\0', '\0\0\0\0\0', '\0\0\0\0\0\0\0']
  const inSecret = Array.from({ length: SECRET.length }, (_, at) => `\0\0\0\0${String.fromCharCode(at + 1)}x`)

  it.each([...before, ...inSecret])('hold no piece of a secret, wherever the heads are: %j', (prefix) => {
    const body = `${prefix}${SECRET} and more`
    const clean = searched(body)
    expect(clean).toHaveLength(body.length)
    for (let at = 3; at + 6 <= SECRET.length; at += 1) expect(clean).not.toContain(SECRET.slice(at, at + 6))
    for (const size of [1, 3, 7]) expect(searched(body, size)).toBe(clean)
  })
})

describe('messages', () => {
  const message = (text: string): string => `\0\0\0\0${String.fromCharCode(text.length)}${text}`

  it('are given on whole as soon as they are, and stay what they were', () => {
    const search = createMessageSearch(scrubber)
    for (const text of ['one', '', 'ends in dem', 'three', '\0\0\0', 'last']) {
      expect(Buffer.from(search.push(Buffer.from(message(text)))).toString()).toBe(message(text))
    }
    expect(search.end()).toHaveLength(0)
  })

  it('that are packed are masked, and what follows is not', () => {
    const packed = `\x01\0\0\0\x04abcd`
    expect(searched(packed + message('next'))).toBe(`\x01\0\0\0\x04****${message('next')}`)
    // A secret that begins in one goes on behind it.
    expect(searched(`\x01\0\0\0\x04demo${SECRET.slice(4)}`)).not.toContain(SECRET.slice(4, 12))
  })
})
