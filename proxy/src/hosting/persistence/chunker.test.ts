import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { cutChunks, gearTable } from './chunker.ts'

const gear = gearTable(randomBytes(1_024))
const sizes = { min: 1_024, max: 16_384, bits: 12 }

async function cut(bytes: Buffer, step = 10_000): Promise<Buffer[]> {
  const source = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
  }
  return Array.fromAsync(cutChunks(source(), gear, sizes))
}

it('cuts where the content says, however it comes, within the bounds', async () => {
  const bytes = randomBytes(400_000)
  const chunks = await cut(bytes)
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  expect(await cut(bytes, 777)).toEqual(chunks)
  for (const chunk of chunks.slice(0, -1)) {
    expect(chunk.length).toBeGreaterThanOrEqual(sizes.min)
    expect(chunk.length).toBeLessThanOrEqual(sizes.max)
  }
  expect(chunks.length).toBeGreaterThan(40)
  expect(await cut(Buffer.alloc(0))).toEqual([])
  expect((await cut(Buffer.alloc(40_000))).map(({ length }) => length)).toEqual([16_384, 16_384, 7_232])
})

it('moves no boundary that is far behind what is put in', async () => {
  const bytes = randomBytes(400_000)
  const before = new Set((await cut(bytes)).map((chunk) => chunk.toString('base64')))
  const longer = await cut(
    Buffer.concat([bytes.subarray(0, 100_000), Buffer.from('put in'), bytes.subarray(100_000)]),
  )
  expect(longer.filter((chunk) => !before.has(chunk.toString('base64'))).length).toBeLessThanOrEqual(3)
})

it('cuts elsewhere under another table', async () => {
  const bytes = randomBytes(400_000)
  const source = async function* (): AsyncGenerator<Buffer> {
    yield bytes
  }
  const others = await Array.fromAsync(cutChunks(source(), gearTable(randomBytes(1_024)), sizes))
  expect(others.map(({ length }) => length)).not.toEqual((await cut(bytes)).map(({ length }) => length))
})
