import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../kernel/index.ts'
import { manifestOf, openLock, sealLock } from './lock.ts'
import { remoteImports } from './scan.ts'

const runtime = { name: 'deno', image: 'sha256:demo' }
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('the look for imports', () => {
  it.each([
    ['import x from "https://esm.sh/x"', 'https://esm.sh/x'],
    ["export * from 'jsr:@std/fmt'", 'jsr:@std/fmt'],
    ['import"npm:zod@4"', 'npm:zod@4'],
    ['import {\n  a,\n  b,\n} from\n  "npm:zod"', 'npm:zod'],
    ['await import(`https://esm.sh/x`)', 'https://esm.sh/x'],
    ['await import(\n  /* why */ "http://h/x")', 'http://h/x'],
    ['import x from // why\n"HTTPS://h/x"', 'HTTPS://h/x'],
  ])('finds %j', (code, specifier) => {
    expect(remoteImports(code).map((found) => found.specifier)).toEqual([specifier])
  })

  it.each([
    'const url = "https://esm.sh/x"\nfetch("https://api.demo.test")',
    'import fs from "node:fs"\nawait fetch("https://api.demo.test/from")',
    'import x from "./x.ts"',
    'await import("https://esm.sh/" + name)',
    'await import(`https://esm.sh/$' + '{name}`)',
  ])('takes %j for no import of a fixed address', (code) => {
    expect(remoteImports(code)).toEqual([])
  })

  it('names the line that the address stands on', () => {
    const code = '// one\n\nimport a from "npm:a"\nimport {\n  b,\n} from "npm:b"\n'
    expect(remoteImports(code)).toEqual([
      { specifier: 'npm:a', line: 3 },
      { specifier: 'npm:b', line: 6 },
    ])
  })

  it.each([
    'import ',
    `import${' '.repeat(99)}`,
    'from/**/',
    'import//\n',
    '//import import\n',
    'import("https:',
    'import("npm:a"/**/',
  ])('comes to its end on a mebibyte of %j', (text) => {
    expect(remoteImports(text.repeat(Math.ceil(1_048_576 / text.length)))).toEqual([])
  })
})

describe('a lock', () => {
  const files = new Map([
    ['remote/https/b', bytes('two')],
    ['remote/https/a', bytes('one')],
    ['npm/c', bytes('one')],
  ])
  const sealed = sealLock({ runtime, files, modules: ['npm:b@1', 'https://a', 'npm:b@1'] })

  it('is the hash of what it holds and for whom, in no order', () => {
    const again = sealLock({
      runtime,
      files: new Map([...files].reverse()),
      modules: ['https://a', 'npm:b@1'],
    })
    expect(again.lock).toEqual(sealed.lock)
    expect(sealed.lock).toMatchObject({
      hash: sha256Hex(manifestOf(sealed)),
      bytes: 9,
      modules: ['https://a', 'npm:b@1'],
    })
    expect(sealed.contents.size).toBe(2)
    for (const other of [
      sealLock({
        runtime,
        files: new Map([...files, ['npm/c', bytes('onE')]]),
        modules: ['https://a', 'npm:b@1'],
      }),
      sealLock({ runtime: { ...runtime, image: 'sha256:other' }, files, modules: ['https://a', 'npm:b@1'] }),
      sealLock({ runtime, files, modules: ['https://a'] }),
    ]) {
      expect(other.lock.hash).not.toBe(sealed.lock.hash)
    }
  })

  it('opens whole or not at all', () => {
    const text = manifestOf(sealed)
    const read = (sha256: string) => sealed.contents.get(sha256)
    expect(openLock(sealed.lock.hash, text, read)).toEqual(sealed)
    expect(openLock(sealed.lock.hash, text.replace('npm/c', 'npm/d'), read)).toBeUndefined()
    expect(openLock(sealed.lock.hash, text, () => undefined)).toBeUndefined()
    expect(
      openLock(sealed.lock.hash, text, (sha256) => Buffer.concat([read(sha256) ?? bytes(''), bytes(' ')])),
    ).toBeUndefined()
  })

  it.each(['../x', '/x', 'a//b', 'a/../b', 'a/.', 'a\\b', 'a\0b', ''])('takes no path like %j', (path) => {
    expect(() => sealLock({ runtime, files: new Map([[path, bytes('x')]]), modules: [] })).toThrow(
      'plain relative path',
    )
  })
})
