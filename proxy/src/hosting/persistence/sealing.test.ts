import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { createSodiumCipher } from '../../vault/crypto/index.ts'
import { createSealing } from './sealing.ts'

const cipher = await createSodiumCipher()
const root = randomBytes(32)
const sealing = createSealing(cipher, root, 'tenant/machine')
const content = Buffer.from('content '.repeat(100))

it('opens at its own place, under its own root, as the same machine’s, and no larger than said', () => {
  const sealed = sealing.seal('a#0', content)
  expect(sealing.open('a#0', sealed, content.length)).toEqual(content)
  expect(() => sealing.open('a#1', sealed, content.length)).toThrow('not what was stored')
  expect(() => sealing.open('b#0', sealed, content.length)).toThrow('not what was stored')
  expect(() => sealing.open('a#0', sealed, content.length - 1)).toThrow()
  for (const other of [
    createSealing(cipher, root, 'tenant/other'),
    createSealing(cipher, root, 'other/machine'),
    createSealing(cipher, randomBytes(32), 'tenant/machine'),
  ]) {
    expect(() => other.open('a#0', sealed, content.length)).toThrow('not what was stored')
    expect(other.nameOf(content)).not.toBe(sealing.nameOf(content))
    expect(other.gear).not.toEqual(sealing.gear)
  }
  expect(createSealing(cipher, root, 'tenant/machine').nameOf(content)).toBe(sealing.nameOf(content))
})
