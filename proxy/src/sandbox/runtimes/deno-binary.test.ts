import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileDigest } from './deno-binary.ts'

test.each([0, 1, 1_048_576, 2_500_000])('the digest of a file of %i bytes is of all of it', async (size) => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-digest-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'binary')
  const bytes = randomBytes(size)
  const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`
  writeFileSync(path, bytes)
  expect(await fileDigest(path)).toBe(digestOf(bytes))
  appendFileSync(path, 'x')
  expect(await fileDigest(path)).toBe(digestOf(Buffer.concat([bytes, Buffer.from('x')])))
})
