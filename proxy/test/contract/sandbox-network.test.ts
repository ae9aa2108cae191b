import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, testSession } from '../support/egress-endpoints.ts'
import { untilSettled } from '../support/engine-faults.ts'
import { runIn } from '../support/sandbox-run.ts'

const docker = await dockerOrSkip()
const INSTANCE = `contract-${process.pid}`
const endpoints = await createTestEndpoints()
/** A run that may reach these, through its endpoint. */
const reaching = (...network: readonly string[]) => ({ network, egress: testSession(network) })

afterAll(async () => {
  await endpoints[Symbol.asyncDispose]()
})

describe.each(['docker', 'embedded'] as const)('the %s sandbox with a network list', (kind) => {
  describe.skipIf(kind === 'docker' && !docker.available)('as a port', () => {
    let sandbox: Sandbox

    beforeAll(async () => {
      sandbox = await createSandbox({ kind, poolSize: 2, instanceId: `${INSTANCE}-${kind}`, endpoints })
      sandbox.start()
    })
    afterAll(async () => {
      await sandbox[Symbol.asyncDispose]()
    })
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

    it.skipIf(!isContainer).each([
      [
        'speaks to the endpoint itself',
        0,
        '[url], [new URL(url), { method: "POST", body: "x" }], [url, { __proto__: null, method: "PUT" }]',
        'GET POST PUT',
      ],
      ['takes the proxy where it was given a Request', 1, '[new Request(url, { method: "POST" })]', 'POST'],
      ['takes the proxy with a client of the code', 1, '[url, { client: Deno.createHttpClient({}) }]', 'GET'],
      [
        'takes the proxy with options of a class',
        1,
        '[url, new (class { get method() { return "PUT" } })()]',
        'PUT',
      ],
    ])('has a fetch that %s', async (_how, tunnels, calls, methods) => {
      const url = 'https://api.example.com/by'
      const { network, egress } = reaching('api.example.com')
      const run = await runIn(
        sandbox,
        `const url = '${url}'
         for (const given of [${calls}]) console.log((await (await fetch(...given)).text()))`,
        { network, egress },
      )
      expect(run).toMatchObject({
        stderr: '',
        stdout: `${methods.replaceAll(/\w+/g, 'reached').replaceAll(' ', '\n')}\n`,
      })
      const endpoint = endpoints.opened.find(({ session }) => session === egress)
      const seen = endpoint?.seen.filter((one) => one.endsWith(url))
      expect(seen).toEqual(methods.split(' ').map((method) => `${method} ${url}`))
      // The runner opens none itself: each container would pay for it.
      expect(endpoint?.tunnels).toBe(tunnels)
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
        const asked = (then: string) =>
          `fetch('${url}/').then(() => { ${ask}; setTimeout(() => ${then}, 50) })`
        const end = "dispatchEvent(new Event('unload'))"
        const inWorker = JSON.stringify(asked('postMessage(0)'))
        for (const code of [
          asked(end),
          `try { Object.defineProperty(Deno, 'exitCode', { get: () => NaN }) } catch { /* fixed */ }; Deno.exit = () => {}; ${asked(end)}`,
          `new Worker('data:text/javascript,' + encodeURIComponent(${inWorker}), { type: 'module' }).onmessage = () => ${end}`,
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
      await untilSettled(async () =>
        endpoints.opened.filter(({ session }) => session !== undefined).every(({ closed }) => closed),
      )
      expect(endpoints.opened.length).toBeGreaterThan(isContainer ? 0 : before)
    })
  })
})

async function bridgeAddress(): Promise<string> {
  const bridge = await new Docker().getNetwork('bridge').inspect()
  return bridge.IPAM?.Config?.[0]?.Gateway ?? '172.17.0.1'
}

async function listen(): Promise<Server> {
  const server = createServer((_request, response) => response.end('reached'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
