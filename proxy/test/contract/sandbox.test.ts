import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/kernel/index.ts'
import { type Sandbox, SandboxUnavailable } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints } from '../support/egress-endpoints.ts'
import { runIn } from '../support/sandbox-run.ts'

const docker = await dockerOrSkip()
const INSTANCE = `contract-${process.pid}`
const MIB = 1_048_576
const endpoints = await createTestEndpoints()
afterAll(async () => {
  await endpoints[Symbol.asyncDispose]()
})

describe.each(['docker', 'embedded'] as const)('the %s sandbox', (kind) => {
  describe.skipIf(kind === 'docker' && !docker.available)('as a port', () => {
    let sandbox: Sandbox

    beforeAll(async () => {
      sandbox = await createSandbox({ kind, poolSize: 2, instanceId: `${INSTANCE}-${kind}`, endpoints })
      sandbox.start()
    })
    afterAll(async () => {
      await sandbox[Symbol.asyncDispose]()
    })

    it('says what it is and names its runtime by digest', async () => {
      const status = await sandbox.status()
      expect(status.kind).toBe(kind)
      expect(status.runtimes).toContainEqual({
        name: 'deno',
        image: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      })
      if (kind === 'embedded') expect(status.notes.join(' ')).toContain('weaker')
    })

    it('keeps the two outputs apart and reports the exit code 0', async () => {
      const run = await runIn(sandbox, 'console.log("to out"); console.error("to err"); console.log("again")')
      expect(run).toMatchObject({
        end: 'exited',
        exitCode: 0,
        stdout: 'to out\nagain\n',
        stderr: 'to err\n',
        starts: 1,
      })
      expect(run.truncated).toBe(false)
      expect(run.durationMs).toBeGreaterThan(0)
    })

    it('reports the exit code that the code chose', async () => {
      expect(await runIn(sandbox, 'console.log("x"); Deno.exit(7)')).toMatchObject({
        end: 'exited',
        exitCode: 7,
        stdout: 'x\n',
      })
      expect(await runIn(sandbox, 'Deno.exitCode = 3')).toMatchObject({ end: 'exited', exitCode: 3 })
    })

    it('reports 1 and a readable trace for an uncaught error', async () => {
      const run = await runIn(
        sandbox,
        '\n\nfunction broken(): never { throw new Error("it broke") }\nbroken()',
      )
      expect(run).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
      expect(run.stderr).toContain('it broke')
      expect(run.stderr).toMatch(/main\.ts:3:\d+/)
      expect(run.stderr).not.toContain('runner.js')
    })

    it('reports 1 for code that does not parse, before a line of it runs', async () => {
      const run = await runIn(sandbox, 'console.log("ran")\nthis is not code')
      expect(run).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
      expect(run.stderr).toContain('main.ts')
    })

    it('takes TypeScript with top-level await as the main module', async () => {
      const run = await runIn(
        sandbox,
        'enum Kind { A = 4 }\nconst n: number = await Promise.resolve(Kind.A)\n' +
          'if (import.meta.main) console.log(n, Deno.args.length)\nexport {}',
      )
      expect(run.stdout).toBe('4 0\n')
    })

    it('lets unload listeners of the code write to the last', async () => {
      const run = await runIn(
        sandbox,
        'addEventListener("unload", () => console.log("bye")); addEventListener("unload", () => console.error("bye"))',
      )
      expect(run).toMatchObject({ exitCode: 0, stdout: 'bye\n', stderr: 'bye\n' })
    })

    it('passes args as canonical text and secrets by name', async () => {
      const run = await runIn(
        sandbox,
        'console.log(Deno.env.get("OAUTH3_ARGS"), Deno.env.get("FIRST"), Deno.env.get("SECOND"))',
        { args: '{"a":[1,"ü"]}', secrets: { FIRST: 'demo-value-1', SECOND: 'two\nlines ✓' } },
      )
      expect(run.stdout).toBe('{"a":[1,"ü"]} demo-value-1 two\nlines ✓\n')
    })

    it('leaves OAUTH3_ARGS unset without args, and shows nothing of the daemon', async () => {
      process.env.SANDBOX_CONTRACT_PROBE = 'demo-value-of-the-daemon'
      const run = await runIn(
        sandbox,
        `for (const name of ['OAUTH3_ARGS', 'SANDBOX_CONTRACT_PROBE']) {
           try { console.log(name, Deno.env.get(name)) } catch (error) { console.log(name, undefined) }
         }
         try { console.log(JSON.stringify(Deno.env.toObject())) } catch { console.log('{}') }`,
      )
      delete process.env.SANDBOX_CONTRACT_PROBE
      expect(run.stdout).toContain('OAUTH3_ARGS undefined\nSANDBOX_CONTRACT_PROBE undefined\n')
      expect(run.stdout).not.toContain('demo-value')
    })

    it('runs exactly the bytes: byte order mark, CRLF, trailing space and escapes included', async () => {
      const code =
        '\ufeff// first line  \r\nconst text = "a\u0301\\u0000b é \u{1f600}\u202e"\r\nconsole.log(text.length) \r\n' +
        'console.log([...text].map((c) => c.codePointAt(0)).join())\r\n'
      const run = await runIn(sandbox, code)
      const text = 'a\u0301\u0000b é \u{1f600}\u202e'
      expect(run.stdout).toBe(`${text.length}\n${[...text].map((char) => char.codePointAt(0)).join()}\n`)
      if (kind === 'embedded') return
      const hashing = `${code}const own = Deno.readFileSync(new URL(import.meta.url))\r\nconst sum = new Uint8Array(await crypto.subtle.digest("SHA-256", own))\r\nconsole.log(sum.toHex())`
      expect((await runIn(sandbox, hashing)).stdout).toContain(`${sha256Hex(hashing)}\n`)
    })

    it('shows the end of standard input to code that reads it', async () => {
      const run = await runIn(sandbox, 'console.log(await Deno.stdin.read(new Uint8Array(8)))')
      expect(run.stdout).toBe('null\n')
    })

    it('passes binary output on unchanged and as it arrives', async () => {
      const run = await runIn(
        sandbox,
        'const b = new Uint8Array(4096).map((_, i) => i); Deno.stdout.writeSync(b); Deno.stdout.writeSync(b)',
      )
      const once = Buffer.from(Uint8Array.from({ length: 4096 }, (_, i) => i))
      expect(run.stdoutBytes.equals(Buffer.concat([once, once]))).toBe(true)

      const seen: number[] = []
      const began = performance.now()
      await runIn(sandbox, 'console.log(1); await new Promise((r) => setTimeout(r, 700)); console.log(2)', {
        onOutput: () => seen.push(performance.now() - began),
      })
      expect((seen.at(-1) ?? 0) - (seen[0] ?? 0)).toBeGreaterThan(400)
    })

    it.each([
      ['sleeps', 'await new Promise((r) => setTimeout(r, 60_000))'],
      ['spins', 'for (;;) {}'],
    ])('ends code that %s at its time limit', async (_what, code) => {
      const run = await runIn(sandbox, `console.log("began"); ${code}`, { limits: { timeoutMs: 700 } })
      expect(run).toMatchObject({ end: 'timeout', exitCode: null, stdout: 'began\n' })
      expect(run.durationMs).toBeGreaterThanOrEqual(690)
      expect(run.durationMs).toBeLessThan(5_000)
    })

    it('ends code at its memory limit', async () => {
      const run = await runIn(
        sandbox,
        'const all: Uint8Array[] = []; for (;;) { all.push(new Uint8Array(8_388_608).fill(1)); await 0 }',
        { limits: { memoryBytes: 192 * MIB } },
      )
      expect(run).toMatchObject({ end: 'memory_limit', exitCode: null })
    })

    it('gives code the memory it asked for beyond the default', async () => {
      const run = await runIn(
        sandbox,
        'const all: Uint8Array[] = []; for (let i = 0; i < 45; i++) all.push(new Uint8Array(8_388_608).fill(1)); console.log(all.length)',
        { limits: { memoryBytes: 640 * MIB } },
      )
      expect(run).toMatchObject({ end: 'exited', exitCode: 0, stdout: '45\n' })
    })

    it('keeps output up to its limit and tells of the rest', async () => {
      const run = await runIn(
        sandbox,
        'const line = "x".repeat(99); for (let i = 0; i < 1000; i++) console.log(line)',
        { limits: { outputBytes: 10_000 } },
      )
      expect(run).toMatchObject({ end: 'exited', exitCode: 0, truncated: true })
      expect(run.stdoutBytes.length).toBe(10_000)
    })

    it('ends code that floods its output', async () => {
      const run = await runIn(
        sandbox,
        'const b = new Uint8Array(1_048_576).fill(120); for (let i = 0; i < 1024; i++) Deno.stdout.writeSync(b)',
        { limits: { outputBytes: 10_000 } },
      )
      expect(run).toMatchObject({ end: 'output_limit', truncated: true })
      expect(run.stdoutBytes.length).toBe(10_000)
    })

    it('ends a run that is cancelled, and does not start one that was', async () => {
      const abort = new AbortController()
      const run = await runIn(sandbox, 'console.log("up"); setInterval(() => {}, 1000)', {
        signal: abort.signal,
        onOutput: () => abort.abort(),
      })
      expect(run).toMatchObject({ end: 'cancelled', exitCode: null, starts: 1 })
      const early = await runIn(sandbox, 'console.log(1)', { signal: AbortSignal.abort() })
      expect(early).toMatchObject({ end: 'cancelled', stdout: '', starts: 0 })
    })

    it('shares nothing between two runs of the same code at the same time', async () => {
      const code = `
        const own = Deno.env.get('OWN')
        let left = 'none'
        try { left = Deno.readTextFileSync('/tmp/trace') } catch { /* none */ }
        try { Deno.writeTextFileSync('/tmp/trace', own ?? '') } catch { /* no files at all */ }
        ;(globalThis as Record<string, unknown>).own ??= own
        await new Promise((r) => setTimeout(r, 300))
        console.log(own, left, (globalThis as Record<string, unknown>).own)`
      const [first, second] = await Promise.all([
        runIn(sandbox, code, { secrets: { OWN: 'demo-one' } }),
        runIn(sandbox, code, { secrets: { OWN: 'demo-two' } }),
      ])
      expect(first.stdout).toBe('demo-one none demo-one\n')
      expect(second.stdout).toBe('demo-two none demo-two\n')
      const third = await runIn(sandbox, code, { secrets: { OWN: 'demo-three' } })
      expect(third.stdout).toBe('demo-three none demo-three\n')
    })

    it.each([
      ['a static https import', 'import "https://esm.sh/x"'],
      ['a computed https import', 'await import("https://" + "esm.sh/x")'],
      ['an npm package', 'import "npm:chalk"'],
      ['an npm package at run time', 'await import("npm:" + "chalk")'],
      ['a jsr package', 'import "jsr:@std/assert"'],
      [
        'a file of the host as JSON',
        'import x from "file:///etc/x.json" with { type: "json" }; console.log(x)',
      ],
      ['a file of the host as text', 'import x from "/etc/hostname" with { type: "text" }; console.log(x)'],
      ['a file at run time', 'await import("file:///etc/hostname")'],
      [
        'a file behind a data module',
        'import "data:text/javascript,import%20%22file%3A%2F%2F%2Fetc%2Fhostname%22%20with%20%7Btype%3A%22text%22%7D"',
      ],
    ])('refuses %s', async (_what, code) => {
      const refused = { end: 'exited', exitCode: 1, stdout: '' }
      const run = await runIn(sandbox, code)
      expect(run).toMatchObject(refused)
      expect(run.stderr).toMatch(/--no-remote|--no-npm|Requires (read|import) access|"dynamic_code"/)
      // Who may make code from text may still not load it from anywhere.
      const dynamic = await runIn(sandbox, code, { dynamicCode: true })
      expect(dynamic).toMatchObject(refused)
      expect(dynamic.stderr).toMatch(/--no-remote|--no-npm|Requires (read|import) access/)
    })

    it.each([
      'import/**/x/**/from"file:///HOST"with{type:"text"};console.log(x)',
      'import{default as x}from"file:///HOST"with{type:"text"};console.log(x)',
      'import\n"file:///HOST"',
      'console.log(import.meta.main);import x from"file:///HOST"with{type:"text"};console.log(x)',
      '/*import.meta*/import/*.meta*/"file:///HOST"',
      'import/**/("file:///HOST")',
      'await import("file:///HOST",{with:{type:"text"}}).then((x)=>console.log(x))',
      'import defer * as x from "file:///HOST"; console.log(x)',
      'import source x from "file:///HOST"; console.log(x)',
      'import x = require("file:///HOST"); console.log(x)',
      'export*from"file:///HOST"',
      'export{default}from"file:///HOST"with{type:"text"}',
      '\\u0069mport x from "file:///HOST" with { type: "text" }; console.log(x)',
      '\\u{69}mport("file:///HOST")',
      'ex\\u0070ort * from "file:///HOST"',
      '/// <reference path="file:///HOST" />\nthrow 1',
      '// @deno-types="file:///HOST"\nthrow 1',
      '/** @jsxImportSource file:///HOST */\nthrow 1',
      'throw 1\n//# sourceMappingURL=file:///HOST',
    ])('loads no file of the host for %j', async (code) => {
      const folder = await mkdtemp(join(tmpdir(), 'oauth3-host-'))
      const file = join(folder, 'file.js')
      await writeFile(file, 'export default "what the host holds"; console.log(1)\n')
      try {
        for (const dynamicCode of [false, true]) {
          const run = await runIn(sandbox, code.replace('/HOST', file), { dynamicCode })
          expect(run).toMatchObject({ end: 'exited' })
          expect(run.stdout + run.stderr).not.toMatch(/the host holds|^1$/m)
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    it('has no subprocesses, no libraries, no facts of the host and no files of it', async () => {
      const run = await runIn(
        sandbox,
        `for (const [name, attempt] of Object.entries({
           run: () => new Deno.Command('/bin/deno').outputSync(),
           ffi: () => Deno.dlopen('/lib/x86_64-linux-gnu/libc.so.6', {}),
           sys: () => { if (Deno.permissions.querySync({ name: 'sys', kind: 'osRelease' }).state !== 'granted') throw new Deno.errors.NotCapable() },
           read: () => Deno.readTextFileSync('/etc/hostname'),
           proc: () => Deno.readTextFileSync('/proc/self/environ'),
           write: () => Deno.writeTextFileSync('/oauth3-probe', 'x'),
           kill: () => Deno.kill(2),
         })) {
           try { attempt(); console.log(name, 'worked') } catch (error) { console.log(name, error.name) }
         }`,
      )
      expect(run.stdout).toBe(
        ['run', 'ffi', 'sys', 'read', 'proc', 'write', 'kill'].map((name) => `${name} NotCapable\n`).join(''),
      )
    })

    it('refuses an image other than the approved one, without starting', async () => {
      await expect(runIn(sandbox, 'console.log(1)', { image: `sha256:${'0'.repeat(64)}` })).rejects.toThrow(
        SandboxUnavailable,
      )
    })

    it('takes code of several megabytes with secrets, and runs it whole', async () => {
      const run = await runIn(
        sandbox,
        `const text = "${'x'.repeat(3_000_000)}"\nconsole.log(text.length, Deno.env.get('LONG')?.length)`,
        {
          secrets: { LONG: 'demo-'.repeat(10_000) },
        },
      )
      expect(run).toMatchObject({ exitCode: 0, stdout: '3000000 50000\n' })
    })

    it('lets exit listeners of Node write to the last and choose the exit code', async () => {
      const run = await runIn(
        sandbox,
        'import process from "node:process"; process.on("exit", () => { console.log("bye"); process.exitCode = 5 })',
      )
      expect(run).toMatchObject({ end: 'exited', exitCode: 5, stdout: 'bye\n' })
    })
  })
})

describe('the embedded sandbox, besides', () => {
  it('lets code write to no disk through the temporary files of SQLite', async () => {
    await using sandbox = await createSandbox({
      kind: 'embedded',
      poolSize: 0,
      instanceId: `${INSTANCE}-disk`,
      endpoints: null,
    })
    const run = await runIn(
      sandbox,
      `import { DatabaseSync } from 'node:sqlite'
       const db = new DatabaseSync(':memory:')
       db.exec("pragma temp_store_directory = '${tmpdir()}'; pragma temp_store = 1; pragma temp.cache_size = 10")
       db.exec('create temp table t(b)')
       const insert = db.prepare('insert into t values (zeroblob(1000000))')
       try { for (let i = 0; i < 32; i++) insert.run(); console.log('filled') } catch (error) { console.log(error.message) }`,
    )
    expect(run.stdout).not.toContain('filled')
    expect(run.stdout).toMatch(/disk|I\/O|full/)
    expect((await sandbox.status()).notes.join()).not.toContain('disk with')
  })
})
