import { expect, it } from 'vitest'
import { FUZZ_PROPERTIES } from '../fuzz/properties.ts'
import { tryProperty } from '../fuzz/property.ts'

/** A short look with new cases each time; `npm run fuzz` looks for as long as one likes. */
it.each(FUZZ_PROPERTIES.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
  const { found } = await tryProperty(one, { runs: 200 })
  expect(found).toBeUndefined()
})
