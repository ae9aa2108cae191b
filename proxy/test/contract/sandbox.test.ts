import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DockerSandbox } from '../../src/adapters/sandbox/docker/docker-sandbox.ts'
import { createSandbox } from '../../src/adapters/sandbox/index.ts'
import { type Sandbox, SandboxUnavailable } from '../../src/domain/executions/index.ts'
import { sha256Hex } from '../../src/kernel/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, testSession } from '../support/egress-endpoints.ts'
import { patience } from '../support/pace.ts'
import { runIn } from '../support/sandbox-run.ts'

const docker = await dockerOrSkip()
const INSTANCE = `contract-${process.pid}`
const MIB = 1_048_576
const endpoints = await createTestEndpoints()
/** A run that may reach these, through its endpoint. */
const reaching = (...network: readonly string[]) => ({ network, egress: testSession(network) })

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

    describe('with a network list', () => {
      let server: Server
      let other: Server
      const port = (of: Server) => (of.address() as AddressInfo).port
      const isContainer = kind === 'docker'

      beforeAll(async () => {
        server = await listen()
        other = await listen()
      })
      afterAll(() => {
        server.close()
        other.close()
      })

      it('reaches the approved host and port through its endpoint, and no other port or host', async () => {
        const approved = `http://127.0.0.1:${port(server)}`
        const run = await runIn(
          sandbox,
          `for (const url of ['${approved}/', 'http://127.0.0.1:${port(other)}/', 'http://localhost:${port(server)}/', 'https://example.com/']) {
             try { const answer = await fetch(url); console.log(answer.status, answer.ok ? await answer.text() : (await answer.json()).error.rule) } catch (error) { console.log(error.name) }
           }`,
          reaching(approved),
        )
        expect(run.stderr).toBe('')
        const refused = isContainer ? '403 host_not_approved' : 'NotCapable'
        expect(run.stdout).toBe(`200 reached\n${refused}\n${refused}\n${refused}\n`)
        expect(endpoints.opened.flatMap(({ seen }) => seen)).toContain(`GET ${approved}/`)
      })

      it('trusts the gateway for TLS, and takes WebSockets and node:https through it too', async () => {
        const run = await runIn(
          sandbox,
          `import https from 'node:https'
           console.log('fetch', await (await fetch('https://api.example.com/a')).text())
           for (const scheme of ['ws', 'wss']) {
             const socket = new WebSocket(scheme + '://api.example.com/b')
             console.log(scheme, await new Promise((done) => {
               socket.onmessage = (event) => done(event.data)
               socket.onerror = (event) => done(event.message)
             }))
             socket.close()
           }
           console.log('node', await new Promise((done) => https.get('https://api.example.com/c', (answer) => done(answer.statusCode)).on('error', (error) => done(error.message))))
           Deno.exit(0)`,
          reaching('api.example.com', 'http://api.example.com'),
        )
        expect(run.stdout).toBe('fetch reached\nws reached\nwss reached\nnode 200\n')
      })

      it('shows an answer as it arrives, and ends a request that the code gives up', async () => {
        const gone = Promise.withResolvers<void>()
        const slow = createServer((_request, response) => {
          response.write('first')
          response.on('close', () => gone.resolve())
        })
        await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
        const url = `http://127.0.0.1:${port(slow)}`
        try {
          const run = await runIn(
            sandbox,
            `const giveUp = new AbortController()
             const answer = await fetch('${url}/', { signal: giveUp.signal })
             const reader = answer.body.getReader()
             console.log(new TextDecoder().decode((await reader.read()).value))
             giveUp.abort()
             console.log(await reader.read().then(() => 'read on', (error) => error.name))`,
            reaching(url),
          )
          expect(run.stdout).toBe('first\nAbortError\n')
          await gone.promise
        } finally {
          slow.closeAllConnections()
          slow.close()
        }
      })

      it('ends at once although an answer was never read', async () => {
        const endless = createServer((_request, response) => {
          const chunk = Buffer.alloc(65_536)
          const more = (): void => {
            while (response.write(chunk));
            response.once('drain', more)
          }
          more()
        })
        await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
        const url = `http://127.0.0.1:${port(endless)}`
        try {
          const run = await runIn(sandbox, `console.log((await fetch('${url}/')).status)`, reaching(url))
          expect(run).toMatchObject({ end: 'exited', exitCode: 0, stdout: '200\n' })
        } finally {
          endless.closeAllConnections()
          endless.close()
        }
      })

      it('goes through no proxy that the code chose for itself', async () => {
        const evil = createNetServer((socket) => socket.destroy())
        let connections = 0
        evil.on('connection', () => {
          connections += 1
        })
        const host = isContainer ? await bridgeAddress() : '127.0.0.1'
        await new Promise<void>((resolve) => evil.listen(0, host, resolve))
        const proxy = `http://${host}:${(evil.address() as AddressInfo).port}`
        const approved = `http://127.0.0.1:${port(server)}`
        try {
          const run = await runIn(
            sandbox,
            `import process from 'node:process'
             import http from 'node:http'
             const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'FTP_PROXY', 'SOCKS_PROXY', 'NODE_USE_ENV_PROXY']
             for (const name of names.flatMap((name) => [name, name.toLowerCase()])) {
               for (const set of [() => Deno.env.set(name, '${proxy}'), () => { process.env[name] = '${proxy}' }]) {
                 try { set(); ${isContainer ? '' : "console.log(name, 'was set')"} } catch { /* refused */ }
               }
             }
             try {
               const client = Deno.createHttpClient({ proxy: { url: '${proxy}' } })
               await fetch('${approved}/', { client }).then(() => console.log('a client of its own worked'), () => {})
             } catch { /* refused */ }
             for (const url of ['${approved}/', 'https://127.0.0.1:${port(other)}/', 'http://www.example.invalid/']) {
               try { console.log((await fetch(url)).status) } catch (error) { console.log(error.name) }
             }
             await new Promise((done) => http.get('${approved}/', done).on('error', done))
             console.log(Deno.env.get('TOKEN'), Deno.env.get('OAUTH3_ARGS'))
             Deno.exit(0)`,
            {
              secrets: { TOKEN: 'demo-value' },
              ...reaching(approved, `127.0.0.1:${port(other)}`, 'http://www.example.invalid'),
            },
          )
          expect(run.stderr).toBe('')
          expect(run.stdout).not.toContain('was set')
          expect(run.stdout).not.toContain('worked')
          expect(run.stdout).toMatch(/^200\n200\n502\ndemo-value undefined\n$/)
          expect(connections).toBe(0)
        } finally {
          evil.close()
        }
      })

      it.runIf(isContainer)('does nothing more once its end was told', async () => {
        let requests = 0
        const counter = createServer((_request, response) => {
          requests += 1
          response.end()
        })
        await new Promise<void>((resolve) => counter.listen(0, '127.0.0.1', resolve))
        try {
          const url = `http://127.0.0.1:${port(counter)}`
          const ask = `setInterval(() => fetch('${url}/').catch(() => {}), 1)`
          for (const code of [
            `${ask}; setTimeout(() => dispatchEvent(new Event('unload')), 200)`,
            `try { Object.defineProperty(Deno, 'exitCode', { get: () => NaN }) } catch { /* fixed */ }; Deno.exit = () => {}; ${ask}; setTimeout(() => dispatchEvent(new Event('unload')), 200)`,
            `new Worker('data:text/javascript,' + encodeURIComponent(${JSON.stringify(ask)}), { type: 'module' }); setTimeout(() => dispatchEvent(new Event('unload')), 500)`,
          ]) {
            requests = 0
            // A worker runs text.
            const dynamicCode = code.startsWith('new Worker')
            const run = await runIn(sandbox, code, { ...reaching(url), dynamicCode })
            expect(run).toMatchObject({ end: 'exited', exitCode: 0 })
            expect(requests).toBeGreaterThan(0)
            // What the gateway had taken before the end may still arrive. Code that ran on would ask every millisecond,
            // so that no such pause would ever come.
            let before: number
            do {
              before = requests
              await new Promise((resolve) => setTimeout(resolve, 300))
            } while (requests !== before)
          }
        } finally {
          counter.close()
        }
      })

      it('reaches nothing when no run was let in at its endpoint', async () => {
        const run = await runIn(
          sandbox,
          `try { console.log((await (await fetch('http://127.0.0.1:${port(server)}/')).json()).error.rule) } catch (error) { console.log(error.name) }
           try { await Deno.connect({ hostname: '127.0.0.1', port: ${port(server)} }); console.log('reached') } catch (error) { console.log(error.name) }`,
        )
        expect(run.stdout).toBe(isContainer ? 'no_run\nConnectionRefused\n' : 'NotCapable\nNotCapable\n')
      })

      it('takes a wildcard for the names below it only', async () => {
        const run = await runIn(
          sandbox,
          `for (const host of ['a.example.invalid', 'example.invalid', 'xexample.invalid', 'a.example.invalid:8443']) {
             try { console.log(host, (await fetch('https://' + host)).status) } catch (error) { console.log(host, error.name) }
           }`,
          reaching('*.example.invalid'),
        )
        const no = isContainer ? '403' : 'NotCapable'
        expect(run.stdout).toBe(
          `a.example.invalid 200\nexample.invalid ${no}\nxexample.invalid ${no}\na.example.invalid:8443 ${no}\n`,
        )
      })

      it('closes the endpoint of each run when it is over', async () => {
        const before = endpoints.opened.length
        const run = await runIn(
          sandbox,
          `console.log(await (await fetch('https://api.example.com/')).text())`,
          reaching('api.example.com'),
        )
        expect(run.stdout).toBe('reached\n')
        await until(async () =>
          endpoints.opened.filter(({ session }) => session !== undefined).every(({ closed }) => closed),
        )
        expect(endpoints.opened.length).toBeGreaterThan(isContainer ? 0 : before)
      })
    })
  })
})

describe.skipIf(!docker.available)('the docker sandbox, besides', () => {
  it('takes waiting containers, one run each, and replaces them', async () => {
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 2,
      instanceId: `${INSTANCE}-pool`,
      endpoints,
    })
    sandbox.start()
    await until(async () => (await ids(`${INSTANCE}-pool`)).length === 2 && (await warm(sandbox)) === 2)
    const before = await ids(`${INSTANCE}-pool`)
    const run = await runIn(sandbox, 'console.log(1)')
    expect(run.exitCode).toBe(0)
    await until(async () => (await ids(`${INSTANCE}-pool`)).length === 2 && (await warm(sandbox)) === 2)
    const after = await ids(`${INSTANCE}-pool`)
    expect(after.filter((id) => before.includes(id))).toHaveLength(1)
  })

  it('runs when the waiting containers were killed by somebody else', async () => {
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 2,
      instanceId: `${INSTANCE}-dead`,
      endpoints,
    })
    sandbox.start()
    await until(async () => (await warm(sandbox)) === 2)
    for (const id of await ids(`${INSTANCE}-dead`)) await new Docker().getContainer(id).kill()
    expect(await runIn(sandbox, 'console.log(1)')).toMatchObject({ exitCode: 0, stdout: '1\n', starts: 1 })
  })

  it('tells of a run whose container was killed from outside', async () => {
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 0,
      instanceId: `${INSTANCE}-lost`,
      endpoints,
    })
    const run = await runIn(sandbox, 'console.log("up"); setInterval(() => {}, 1000)', {
      onOutput: () => {
        void ids(`${INSTANCE}-lost`).then(([id]) => id && new Docker().getContainer(id).kill())
      },
    })
    expect(run).toMatchObject({ end: 'sandbox_lost', exitCode: null, stdout: 'up\n' })
  })

  it('removes the leftovers of its own instance and nothing of another', async () => {
    const engine = new Docker()
    const image = await imageId()
    const leftover = (instance: string) =>
      engine.createContainer({
        Image: image,
        Labels: { 'oauth3.instance': instance, 'oauth3.role': 'sandbox' },
        HostConfig: { NetworkMode: 'none' },
      })
    const network = await engine.createNetwork({
      Name: `oauth3-run-left-${process.pid}`,
      Labels: { 'oauth3.instance': `${INSTANCE}-sweep`, 'oauth3.role': 'sandbox' },
    })
    const mine = await leftover(`${INSTANCE}-sweep`)
    const foreign = await leftover(`${INSTANCE}-sweep-of-another`)
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: `${INSTANCE}-sweep`,
      endpoints,
    })
    sandbox.start()
    await until(async () => (await warm(sandbox)) === 1)
    try {
      expect(await sandbox.sweep()).toBe(2)
      await expect(mine.inspect()).rejects.toMatchObject({ statusCode: 404 })
      await expect(network.inspect()).rejects.toMatchObject({ statusCode: 404 })
      expect((await foreign.inspect()).Id).toBe(foreign.id)
      expect(await runIn(sandbox, 'console.log(1)')).toMatchObject({ exitCode: 0 })
    } finally {
      await foreign.remove({ force: true })
    }
  })

  it('leaves no container and no network behind when it is disposed of', async () => {
    const sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 3,
      instanceId: `${INSTANCE}-gone`,
      endpoints,
    })
    sandbox.start()
    const up = Promise.withResolvers<void>()
    const running = runIn(sandbox, 'console.log(1); setInterval(() => {}, 1000)', {
      ...reaching('api.example.com'),
      onOutput: () => up.resolve(),
    })
    await up.promise
    await runIn(sandbox, 'console.log(1)')
    await sandbox[Symbol.asyncDispose]()
    expect((await running).end).toBe('cancelled')
    expect(await ids(`${INSTANCE}-gone`)).toEqual([])
    const networks = await new Docker().listNetworks({
      filters: { label: [`oauth3.instance=${INSTANCE}-gone`] },
    })
    expect(networks).toEqual([])
  })

  it('is unavailable, not broken, while no engine answers', async () => {
    const nowhere = new Docker({ socketPath: '/nonexistent/docker.sock' })
    const options = { poolSize: 1, instanceId: `${INSTANCE}-away`, endpoints, docker: nowhere }
    await using sandbox = await createSandbox({ kind: 'docker', ...options })
    sandbox.start()
    const status = await sandbox.status()
    expect(status).toMatchObject({ kind: 'unavailable', runtimes: [], warm: 0 })
    expect(status.notes.join()).toContain('does not answer')
    await expect(runIn(sandbox, 'console.log(1)')).rejects.toThrow(SandboxUnavailable)
    await using chosen = await createSandbox({ kind: 'auto', ...options })
    expect(chosen.kind).toBe('embedded')
  })
})

describe.skipIf(!docker.available)('the docker sandbox when the engine goes away and comes back', () => {
  it('loses the run that was under way, refuses others, and recovers with nothing left behind', async () => {
    const instance = `${INSTANCE}-cut`
    const cable = await createCable()
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: instance,
      endpoints,
      docker: new Docker({ socketPath: cable.path }),
    })
    sandbox.start()
    await until(async () => (await warm(sandbox)) === 1)
    const image = (await sandbox.status()).runtimes[0]?.image ?? ''
    const lost = await runIn(sandbox, 'console.log("up"); setInterval(() => {}, 1000)', {
      image,
      onOutput: () => cable.cut(),
    })
    expect(lost).toMatchObject({ end: 'sandbox_lost', exitCode: null, starts: 1 })
    await expect(runIn(sandbox, 'console.log(1)', { image })).rejects.toThrow(SandboxUnavailable)
    await until(async () => (await sandbox.status()).kind === 'unavailable')
    await cable.mend()
    await until(async () => (await warm(sandbox)) === 1)
    expect(await runIn(sandbox, 'console.log(1)', { image })).toMatchObject({ exitCode: 0, stdout: '1\n' })
    await until(async () => (await warm(sandbox)) === 1 && (await ids(instance)).length === 1)
    await cable.end()
  })
})

describe('the docker sandbox on an engine that takes calls and never answers', () => {
  it('is unavailable in bounded time, sweeps nothing, and lets itself be disposed of', {
    timeout: 60_000,
  }, async () => {
    const mute = await createMuteEngine(() => false)
    const sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: `${INSTANCE}-mute`,
      endpoints,
      docker: new Docker({ socketPath: mute.path }),
    })
    try {
      sandbox.start()
      const began = performance.now()
      expect((await sandbox.status()).kind).toBe('unavailable')
      expect(performance.now() - began).toBeLessThan(5_000)
      await expect(runIn(sandbox, 'console.log(1)', { image: 'none' })).rejects.toThrow(SandboxUnavailable)
      await expect(sandbox.sweep()).rejects.toThrow('no answer')
      expect(performance.now() - began).toBeLessThan(25_000)
    } finally {
      const disposing = performance.now()
      await sandbox[Symbol.asyncDispose]()
      expect(performance.now() - disposing).toBeLessThan(7_000)
      await mute.end()
    }
  })

  it.skipIf(!docker.available).each(['/containers/create', '/start', '/attach'])(
    'gives up a launch that hangs at %s, and removes its container when it appears',
    async (call) => {
      const instanceId = `${INSTANCE}-late${call.replaceAll('/', '-')}`
      let hangs = true
      const engine = await createMuteEngine((head) => !(hangs && head.includes(call)))
      const sandbox = new DockerSandbox({
        docker: new Docker({ socketPath: engine.path }),
        instanceId,
        endpoints,
        poolSize: 0,
        launchTimeoutMs: 1_500,
      })
      try {
        const began = performance.now()
        await expect(runIn(sandbox, 'console.log(1)')).rejects.toThrow(SandboxUnavailable)
        expect(performance.now() - began).toBeLessThan(8_000)
        hangs = false
        engine.release()
        await until(async () => (await ids(instanceId)).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 300))
        expect(await ids(instanceId)).toEqual([])
      } finally {
        await sandbox[Symbol.asyncDispose]()
        await engine.end()
      }
    },
  )
})

/** A socket in front of the engine's that holds back what `passes` refuses, until it is released. */
async function createMuteEngine(passes: (head: string) => boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'oauth3-mute-'))
  const path = join(folder, 'docker.sock')
  const open = new Set<Socket>()
  const held: (() => void)[] = []
  const server = createNetServer({ allowHalfOpen: true }, (near) => {
    open.add(near)
    near.on('error', () => {}).on('close', () => open.delete(near))
    const far = connect({ path: '/var/run/docker.sock', allowHalfOpen: true })
    far.on('error', () => {}).on('close', () => near.destroy())
    near.on('close', () => far.destroy()).on('end', () => far.end())
    far.pipe(near)
    near.on('data', (chunk) => {
      if (passes(chunk.toString('latin1'))) {
        far.write(chunk)
        return
      }
      near.pause()
      held.push(() => {
        far.write(chunk)
        near.resume()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    path,
    release: () => {
      for (const forward of held.splice(0)) forward()
    },
    end: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

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

/** A socket in front of the engine's that can be cut and mended. */
async function createCable() {
  const folder = await mkdtemp(join(tmpdir(), 'oauth3-cable-'))
  const path = join(folder, 'docker.sock')
  const open = new Set<Socket>()
  let server: NetServer | undefined
  const mend = async () => {
    server = createNetServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ path: '/var/run/docker.sock', allowHalfOpen: true })
      for (const end of [near, far]) {
        open.add(end)
        end
          .on('error', () => {})
          .on('close', () => {
            open.delete(end)
            near.destroy()
            far.destroy()
          })
      }
      near.pipe(far).pipe(near)
    })
    await new Promise<void>((resolve) => server?.listen(path, resolve))
  }
  const cut = () => {
    server?.close()
    for (const socket of open) socket.destroy()
  }
  await mend()
  return {
    path,
    mend,
    cut,
    end: async () => {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const ids = async (instance: string): Promise<string[]> =>
  (
    await new Docker().listContainers({
      all: true,
      filters: { label: [`oauth3.instance=${instance}`] },
    })
  ).map(({ Id }) => Id)

async function imageId(): Promise<string> {
  await using sandbox = await createSandbox({
    kind: 'docker',
    poolSize: 0,
    instanceId: `${INSTANCE}-image`,
    endpoints,
  })
  return (await sandbox.status()).runtimes[0]?.image ?? ''
}

const warm = async (sandbox: Sandbox): Promise<number> => (await sandbox.status()).warm

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patience(15_000)
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come to pass in time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function bridgeAddress(): Promise<string> {
  const bridge = await new Docker().getNetwork('bridge').inspect()
  return bridge.IPAM?.Config?.[0]?.Gateway ?? '172.17.0.1'
}

async function listen(): Promise<Server> {
  const server = createServer((_request, response) => response.end('reached'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
