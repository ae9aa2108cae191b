import { expect, it } from 'vitest'
import type { ConsentHash } from '../../kernel/index.ts'
import { keepingConsents } from './kept-consents.ts'

function counting() {
  const opened: string[] = []
  const open = keepingConsents((json) => {
    opened.push(json)
    if (json.includes('altered')) throw new Error('does not match its hash')
    return JSON.parse(json) as { hosts: string[] }
  })
  return { opened, open: (json: string, hash = 'a') => open(json, hash as ConsentHash) }
}

it('opens the same text under the same hash once', () => {
  const { opened, open } = counting()
  const first = open('{"hosts":["a"]}')
  expect(open('{"hosts":["a"]}')).toBe(first)
  expect(opened).toHaveLength(1)
})

it('checks a text that was altered behind a hash that is known, and keeps neither in the place of the other', () => {
  const { opened, open } = counting()
  open('{"hosts":["a"]}')
  expect(() => open('{"hosts":["altered"]}')).toThrow('does not match its hash')
  expect(() => open('{"hosts":["altered"]}')).toThrow('does not match its hash')
  expect(open('{"hosts":["a"]}', 'b')).toEqual({ hosts: ['a'] })
  expect(opened).toHaveLength(4)
})

it('gives nobody what another holder could change', () => {
  const { open } = counting()
  open('{"hosts":["a"]}')
  expect(() => open('{"hosts":["a"]}').hosts.push('b')).toThrow(TypeError)
})

it('keeps no long text, and not without end', () => {
  const { opened, open } = counting()
  const long = JSON.stringify({ hosts: ['x'.repeat(20_000)] })
  open(long)
  open(long)
  expect(opened).toHaveLength(2)
  for (let n = 0; n < 65; n += 1) open(`{"hosts":["${n}"]}`, String(n))
  open('{"hosts":["0"]}', '0')
  expect(opened).toHaveLength(2 + 66)
})
