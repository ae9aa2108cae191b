import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  CLAUDE_IMAGE,
  claudeVersion,
  OPENCLAW_IMAGE,
  openclawVersion,
  runtimeFile,
} from '../runtimes/index.ts'
import { tarStream } from './tar.ts'

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string
        readonly integrity?: string
        readonly inBundle?: boolean
        readonly hasInstallScript?: boolean
      }
    >
  >
}
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/

it('the CLI is pinned exactly, by a hash, for every architecture, and by no address', () => {
  const text = readFileSync(runtimeFile(CLAUDE_IMAGE, 'package-lock.json'), 'utf8')
  const { packages } = JSON.parse(text) as Lock
  const wanted = CLAUDE_IMAGE.binaries.flatMap((binary) =>
    binary.isFetched === true ? Object.values(binary.packages) : [],
  )
  expect(wanted.length).toBeGreaterThan(0)
  for (const name of wanted)
    expect(packages[`node_modules/${name}`]).toMatchObject({
      version: claudeVersion(),
      integrity: expect.stringMatching(INTEGRITY),
    })
  expect(text).not.toMatch(/https?:/)
})

it('OpenClaw and all that it stands on are pinned by a hash, and by no address', () => {
  const text = readFileSync(runtimeFile(OPENCLAW_IMAGE, 'package-lock.json'), 'utf8')
  const { '': _root, ...packages } = (JSON.parse(text) as Lock).packages
  expect(packages['node_modules/openclaw']?.version).toBe(openclawVersion())
  expect(openclawVersion()).toMatch(/^\d+\.\d+\.\d+$/)
  // What a package brings along is under that package's own hash.
  const loose = Object.entries(packages).filter(
    ([, { integrity, inBundle }]) => inBundle !== true && !INTEGRITY.test(integrity ?? ''),
  )
  expect(loose).toEqual([])
  expect(text).not.toMatch(/https?:/)
})

it('a long name in an archive is parted at a slash into the two fields that there are for it', async () => {
  const name = `${'folder/'.repeat(20)}${'n'.repeat(90)}.js`
  const [header = Buffer.alloc(0)] = await Array.fromAsync(tarStream([{ name, source: Buffer.alloc(0) }]))
  const field = (at: number, length: number) => header.toString('utf8', at, at + length).replace(/\0.*/, '')
  expect(field(0, 100).length).toBeLessThanOrEqual(100)
  expect(`${field(345, 155)}/${field(0, 100)}`).toBe(name)
  await expect(
    Array.fromAsync(tarStream([{ name: 'n'.repeat(101), source: Buffer.alloc(0) }])),
  ).rejects.toThrow('too long')
})
