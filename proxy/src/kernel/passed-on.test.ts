import { afterEach, expect, it, vi } from 'vitest'
import { passedOn } from './passed-on.ts'

const MIB = 1_048_576

afterEach(() => void vi.unstubAllGlobals())

it('has what is young collected for each 8 MiB, in pieces of whatever size', () => {
  const gc = vi.fn()
  vi.stubGlobal('gc', gc)
  for (let at = 0; at < 32; at += 1) passedOn(MIB)
  passedOn(20 * MIB)
  expect(gc.mock.calls).toEqual(Array.from({ length: 5 }, () => [{ type: 'minor', execution: 'sync' }]))
  for (let at = 0; at < 7; at += 1) passedOn(MIB)
  expect(gc).toHaveBeenCalledTimes(5)
})

it('does nothing where there is no such call', () => {
  vi.stubGlobal('gc', undefined)
  expect(() => passedOn(20 * MIB)).not.toThrow()
})
