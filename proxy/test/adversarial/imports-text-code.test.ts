/** Attack families 17 and 32: a module from elsewhere is held to what the program is held to: it makes no code from text. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { createImportKit, type ImportKit } from '../support/import-kit.ts'
import { patience } from '../support/pace.ts'

const docker = await dockerOrSkip()

describe.skipIf(!docker.available)('code from text in a locked module', () => {
  let kit: ImportKit
  beforeAll(async () => {
    kit = await createImportKit()
    await kit.hosts.npm(
      { name: 'demo-runs', version: '1.0.0' },
      {
        'index.js':
          'const threads = require("worker_threads"); exports.threads = threads.isMainThread;' +
          'exports.ways = { vm: () => require("vm").runInThisContext("6*7"), "node:vm": () => require("node:vm").runInThisContext("6*7"),' +
          'module: () => require("module").createRequire(__filename)("vm"), written: () => { require("fs").writeFileSync("/tmp/w.js", "module.exports = 42"); return require("/tmp/w.js") },' +
          'thread: () => new threads.Worker("1", { eval: true }), flags: () => require("v8").setFlagsFromString("--expose-gc"),' +
          'compile: () => { const m = new module.constructor("x"); m._compile("module.exports = 42", "/tmp/x.js"); return m.exports },' +
          'disguised: () => { const m = new module.constructor("x"); m._compile("module.exports = 42", __filename); return m.exports },' +
          'load: () => { require("fs").writeFileSync("/tmp/l.js", "module.exports = 42"); return module.constructor._load("/tmp/l.js") },' +
          'extension: () => { require("fs").writeFileSync("/tmp/e.js", "module.exports = 42"); const m = new module.constructor("/tmp/e.js"); module.constructor._extensions[".js"](m, "/tmp/e.js"); return m.exports },' +
          'hooks: () => module.constructor.registerHooks({}), Function: () => Function("return 42")(), builtIn: () => process.getBuiltinModule("vm") }',
      },
    )
  }, patience(120_000))
  afterAll(() => kit?.[Symbol.asyncDispose](), 60_000)

  it(
    'is refused to an npm package that requires what runs text',
    async () => {
      const done = await kit.run(
        `import demo from "npm:demo-runs@1"
console.log(demo.threads)
for (const [name, way] of Object.entries(demo.ways)) {
  try { console.log(name, "made", way()) } catch (error) { console.log(name, /dynamic_code|Code generation/.test(error.message)) }
}`,
      )
      expect(done.result?.stderr).toBe('')
      const names = [
        'vm',
        'node:vm',
        'module',
        'written',
        'thread',
        'flags',
        'compile',
        'disguised',
        'load',
        'extension',
        'hooks',
        'Function',
        'builtIn',
      ]
      expect(done.result?.stdout).toBe(`true\n${names.map((name) => `${name} true\n`).join('')}`)
    },
    patience(60_000),
  )

  it.each([
    ['node:vm', 'import vm from "node:vm"\nexport const made = vm.runInThisContext("6*7")\n'],
    [
      'node:module',
      'import { createRequire } from "node:module"\nexport const made = createRequire("file:///tmp/x.js")("vm")\n',
    ],
    ['a data: address', 'export { made } from "data:text/javascript,export const made = 6*7"\n'],
  ])(
    'is refused to a module of a URL that imports %s',
    async (name, text) => {
      const address = `https://esm.sh/text-${name.replaceAll(/\W/g, '-')}.js`
      kit.hosts.files.set(address, text)
      const first = await kit.run(`import { made } from "${address}"\nconsole.log("ran", made)\n`)
      expect(first.result).toMatchObject({ stdout: '' })
      expect(first.result?.stderr).toContain('dynamic_code')
      const later = await kit.run(
        `try { console.log("ran", (await import("${address}")).made) } catch { console.log("refused") }\n`,
      )
      expect(later.result?.stdout).toBe('refused\n')
    },
    patience(60_000),
  )
})
