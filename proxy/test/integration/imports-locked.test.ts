import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { createImportKit, type ImportKit } from '../support/import-kit.ts'
import { patience } from '../support/pace.ts'

const docker = await dockerOrSkip()

const PROGRAM = `import { plain } from "https://esm.sh/redirected"
import { one } from "jsr:@demo/pkg@^1"
import cjs from "npm:demo-cjs@1"
import data from "https://esm.sh/data.json" with { type: "json" }
const late = await import("https://esm.sh/late.js")
console.log(JSON.stringify([plain, one, cjs, data, late.late, import.meta.main]))
`
const MODULES = [
  'https://esm.sh/data.json',
  'https://esm.sh/late.js',
  'https://esm.sh/plain.ts',
  'jsr:@demo/pkg@1.0.1',
  'npm:demo-cjs@1.0.2',
  'npm:demo-dep@1.5.0',
]

describe.skipIf(!docker.available)('locked imports', () => {
  let kit: ImportKit
  beforeAll(async () => {
    kit = await createImportKit()
    const { files } = kit.hosts
    files.set('https://esm.sh/redirected', '→ /plain.ts')
    files.set(
      'https://esm.sh/plain.ts',
      'import { late } from "./late.js"\nexport const plain: string = "plain" + late\n',
    )
    files.set('https://esm.sh/late.js', 'export const late = 7\n')
    files.set('https://esm.sh/data.json', '{"answer":42}')
    files.set(
      'https://esm.sh/fails.ts',
      'export const fail: () => never = () => { throw new Error("from elsewhere") }\n',
    )
    kit.hosts.jsr('@demo/pkg', '1.0.1', {
      'mod.ts': 'import { two } from "./two.ts"\nexport const one: number = two - 1\n',
      'two.ts': 'import cjs from "npm:demo-cjs@^1.0.0"\nexport const two: number = cjs.two\n',
    })
    await kit.hosts.npm(
      {
        name: 'demo-cjs',
        version: '1.0.2',
        dependencies: { 'demo-dep': '1' },
        scripts: { postinstall: 'echo ran' },
        hasInstallScript: true,
      },
      { 'index.js': 'module.exports = { two: 2, dep: require("demo-dep").dep }\n' },
    )
    await kit.hosts.npm({ name: 'demo-dep', version: '1.5.0' }, { 'index.js': 'exports.dep = "dep"\n' })
  }, patience(120_000))
  afterAll(() => kit?.[Symbol.asyncDispose](), 60_000)

  it(
    'https, jsr and npm modules are named in the consent and run offline',
    async () => {
      const asked = await kit.submit(PROGRAM)
      const { imports } = kit.domain.executions.consentOf(asked)
      expect(imports?.modules).toEqual(MODULES)
      expect(imports?.files).toBeGreaterThan(8)
      const before = kit.hosts.seen.length
      const done = await kit.finish(asked)
      expect(done.result).toMatchObject({ stderr: '', exitCode: 0 })
      expect(JSON.parse(done.result?.stdout ?? '')).toEqual([
        'plain7',
        1,
        { two: 2, dep: 'dep' },
        { answer: 42 },
        7,
        true,
      ])
      expect(kit.hosts.seen.length).toBe(before)
      expect(kit.domain.defects).toEqual([])
    },
    patience(60_000),
  )

  it(
    'unchanged sources give the same lock, whatever else their hosts publish',
    async () => {
      const { runtimes } = await kit.domain.sandbox.status()
      const runtime = runtimes.find(({ name }) => name === 'deno')
      if (!runtime) throw new Error('no image')
      const resolve = () => kit.resolver.resolve(PROGRAM, runtime, new AbortController().signal, kit.agent.id)
      const first = await resolve()
      kit.hosts.jsr('@demo/pkg', '2.0.0', { 'mod.ts': 'export const one = 100\n' })
      await kit.hosts.npm({ name: 'demo-cjs', version: '2.0.0' }, { 'index.js': 'module.exports = 2\n' })
      const second = await resolve()
      expect(second?.lock).toEqual(first?.lock)
      const text = [...(first?.contents.values() ?? [])]
        .map((bytes) => Buffer.from(bytes).toString())
        .join('\n')
      expect(text).not.toMatch(/x-request-id|etag|"date"/)
    },
    patience(60_000),
  )

  it(
    'an npm package without a version stays the one that was found',
    async () => {
      await kit.hosts.npm(
        { name: '@demo/tagged', version: '3.1.0' },
        { 'index.js': 'exports.version = "3.1.0"\n' },
      )
      const asked = await kit.submit('import t from "npm:@demo/tagged"\nconsole.log(t.version)\n')
      await kit.hosts.npm(
        { name: '@demo/tagged', version: '4.0.0' },
        { 'index.js': 'exports.version = "4.0.0"\n' },
      )
      expect(kit.domain.executions.consentOf(asked).imports?.modules).toEqual(['npm:@demo/tagged@3.1.0'])
      expect((await kit.finish(asked)).result).toMatchObject({ stdout: '3.1.0\n', stderr: '' })
    },
    patience(60_000),
  )

  it(
    'a stack names the line of the code, as it does without imports',
    async () => {
      const done = await kit.run('import { fail } from "https://esm.sh/fails.ts"\n\nfail()\n')
      expect(done.status).toBe('failed')
      expect(done.result?.stderr).toContain('from elsewhere')
      expect(done.result?.stderr).toMatch(/main\.ts:3:1/)
    },
    patience(60_000),
  )

  it(
    'code that imports nothing from elsewhere is not resolved',
    async () => {
      const before = kit.hosts.seen.length
      const asked = await kit.submit('const url = "https://esm.sh/late.js"\nconsole.log(url)\n')
      expect(kit.domain.executions.consentOf(asked).imports).toBeNull()
      expect(kit.hosts.seen.length).toBe(before)
    },
    patience(60_000),
  )

  it.each<[string, string, number, string]>([
    ['a host that is not an import host', 'https://evil.example/x.js', 3, 'host_not_allowed'],
    ['a module that is not there', 'https://esm.sh/nowhere.js', 3, 'not_found'],
    ['plain http', 'http://esm.sh/late.js', 3, 'plain_http'],
    ['an npm package that is not there', 'npm:no-such-thing@1', 3, 'not_found'],
    ['a version that is not there', 'jsr:@demo/pkg@^9', 3, 'not_found'],
  ])(
    '%s is refused with its line',
    async (_what, specifier, line, reason) => {
      const code = `// first\nimport { late } from "https://esm.sh/late.js"\nimport * as x from "${specifier}"\nconsole.log(x, late)\n`
      await expect(kit.submit(code)).rejects.toMatchObject({
        code: 'import_refused',
        details: { line, specifier, reason },
        message: expect.stringMatching(new RegExp(`^line ${line}: `)),
      })
    },
    patience(60_000),
  )

  it(
    'is never asked for the same code twice at once',
    async () => {
      const code = 'import { late } from "https://esm.sh/late.js"\nconsole.log("at once", late)\n'
      const before = kit.hosts.seen.length
      const asked = await Promise.all(Array.from({ length: 5 }, () => kit.submit(code)))
      expect(new Set(asked.map(({ requestId }) => requestId)).size).toBe(1)
      expect(kit.hosts.seen.length - before).toBe(1)
    },
    patience(60_000),
  )
})
