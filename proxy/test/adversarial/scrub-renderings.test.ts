/** Family 27: forms that other programs undo with one command. What no form lets through is printed by a run. */
import { describe, expect, it } from 'vitest'
import { createScrubber } from '../../src/scrub/index.ts'
import { RENDERINGS } from '../support/renderings.ts'

const VALUES = {
  'with punctuation': 'demo-Value/"x&y" <z>+1=2',
  'with letters beyond ASCII': 'Demo-é-ключ-値-7731',
  'of eight characters': 'Demo8val',
}

function scrubbed(value: string, text: Buffer, chunkBytes = text.length): string {
  const stream = createScrubber(new Map([['KEY', value]])).stream()
  const out: Uint8Array[] = []
  for (let at = 0; at < text.length; at += chunkBytes) {
    out.push(Buffer.from(stream.push(text.subarray(at, at + chunkBytes))))
  }
  return Buffer.concat([...out, stream.end()]).toString('latin1')
}

describe.each(Object.entries(VALUES))('a secret %s', (_kind, value) => {
  it.each(Object.entries(RENDERINGS))('is taken out in the form of %s', (_name, render) => {
    const rendered = Buffer.from(render(value) as string)
    const text = Buffer.concat([Buffer.from('before: '), rendered, Buffer.from(' :after')])
    const clean = scrubbed(value, text)
    expect(clean).toContain('[secret:KEY]')
    // Border digits, padding, and what closes the last escape may stay.
    const rest = clean.replaceAll('[secret:KEY]', '').replaceAll(/before: | :after|[=\0\s]|%3d/gi, '')
    expect(rest.length, rest).toBeLessThanOrEqual(6)
    for (const chunkBytes of [1, 7]) expect(scrubbed(value, text, chunkBytes)).toBe(clean)
  })
})

describe('at every offset', () => {
  const value = 'demo-value-for-offsets'
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const forms: Record<string, (text: string) => string> = {
    base64,
    'base64 twice': (text) => base64(base64(text)),
    'base64 three times': (text) => base64(base64(base64(text))),
    base32: (text) => RENDERINGS.base32?.(text) as string,
    base32hex: (text) => RENDERINGS.base32hex?.(text) as string,
    'base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  }
  it.each(Object.entries(forms))('of %s', (_name, render) => {
    for (let before = 0; before < 10; before++) {
      for (let after = 0; after < 5; after++) {
        const rendered = render('a'.repeat(before) + value + 'z'.repeat(after))
        const clean = scrubbed(value, Buffer.from(`x ${rendered} y`))
        expect(clean).toContain('[secret:KEY]')
        // What stays is what stood around the value, by its length.
        const around = render('a'.repeat(before + 2) + 'z'.repeat(after + 2)).length
        expect(clean.replaceAll('[secret:KEY]', '').length).toBeLessThanOrEqual('x  y'.length + around + 4)
      }
    }
  })
})

describe('text that is no secret', () => {
  it('of half a value, in each form, stays', () => {
    const value = 'demo-value-for-halves'
    for (const render of Object.values(RENDERINGS)) {
      const rendered = Buffer.from(render(value.slice(0, value.length / 2)) as string)
      expect(scrubbed(value, rendered)).toBe(rendered.toString('latin1'))
    }
  })
})
