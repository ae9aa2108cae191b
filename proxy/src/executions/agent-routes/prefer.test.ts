import { expect, test } from 'vitest'
import { AppError } from '../../kernel/index.ts'
import { preferredWait } from './prefer.ts'

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['handling=lenient', undefined],
  ['wait=0', 0],
  ['WAIT=120', 120],
  ['wait="7"', 7],
  ['wait = 7', 7],
  ['respond-async', 0],
  ['respond-async, wait=10', 10],
  ['return=minimal;foo=bar, wait=10; x', 10],
])('Prefer: %j waits %j seconds', (header, seconds) => {
  expect(preferredWait(header)?.seconds).toBe(seconds)
})

test.each([
  'wait',
  'wait=',
  'wait=121',
  'wait=-1',
  'wait=1.5',
  'wait=0x1',
  'wait=1e1',
  'wait= ',
  'wait=9999',
])('Prefer: %s is refused', (header) => {
  expect(() => preferredWait(header)).toThrow(AppError)
})
