import { expect, test } from 'vitest'
import { byVersion } from './catalogue.ts'

test('versions stand newest first, as Semantic Versioning 2.0.0 orders them (§ 11)', () => {
  const oldestFirst = [
    ...['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'],
    ...['1.0.0-rc.1', '1.0.0', '1.0.9', '1.0.10', '1.2.0', '2.0.0', '10.0.0'],
  ]
  expect(oldestFirst.toSorted(byVersion)).toEqual(oldestFirst.toReversed())
})
