import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CLAUDE_IMAGE, claudeVersion, runtimeFile } from '../runtimes/index.ts'

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly integrity?: string; readonly resolved?: string }>
  >
}

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
      integrity: expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/),
    })
  expect(text).not.toMatch(/https?:/)
})
