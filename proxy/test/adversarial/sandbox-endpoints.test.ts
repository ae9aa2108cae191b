/** Family 22 and the endpoints themselves: each sandbox has one, nobody else can use it, and none is left behind. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCertificateIssuer } from '../../src/egress/certificates/index.ts'
import { createEgressDial } from '../../src/egress/dial/index.ts'
import { createGateway } from '../../src/egress/gateway/index.ts'
import type { EgressEndpoint, EgressEndpoints } from '../../src/egress/index.ts'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { testSession } from '../support/egress-endpoints.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { INSPECTED_AT_ONCE } from '../support/inspections.ts'
import { patience } from '../support/pace.ts'
import { runIn } from '../support/sandbox-run.ts'

const available = await dockerOrSkip()
const INSTANCE = `endpoints-${process.pid}`
const isRoot = process.getuid?.() === 0

describe.skipIf(!available.available)(
  `the egress endpoints of the docker sandbox ${available.reason}`,
  () => {
    const docker = new Docker()
    let kit: GatewayKit
    let sandbox: Sandbox
    let upstream: Server
    let url: string
    const opened: EgressEndpoint[] = []

    beforeAll(async () => {
      kit = await createGatewayKit()
      const endpoints: EgressEndpoints = {
        async open() {
          const endpoint = await kit.gateway.open()
          opened.push(endpoint)
          return endpoint
        },
      }
      upstream = createServer((request, response) => response.end(`reached ${request.url}`))
      await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
      url = `http://demo.test:${(upstream.address() as AddressInfo).port}`
      sandbox = await createSandbox({ kind: 'docker', poolSize: 2, instanceId: INSTANCE, endpoints })
      sandbox.start()
    })
    afterAll(async () => {
      await sandbox?.[Symbol.asyncDispose]()
      upstream?.close()
      await kit?.[Symbol.asyncDispose]()
    })

    const reaching = (...network: readonly string[]) => ({ network, egress: testSession(network) })

    it('give two runs at a time two ways out, and neither the reach of the other', async () => {
      const code = (path: string) => `
      const rule = async (url) => { const answer = await fetch(url); return answer.ok ? await answer.text() : (await answer.json()).error.rule }
      console.log(await rule('${url}/${path}'))
      const names = []
      for (const entry of Deno.readDirSync('/run/oauth3')) names.push(entry.name)
      console.log(names.sort().join())
      for (const path of ['${kit.directory}', ...${JSON.stringify(opened.map(({ directory }) => directory))}]) {
        try { await Deno.connect({ transport: 'unix', path: path + '/gateway.sock' }); console.log('another endpoint') } catch { /* not there */ }
      }`
      const [one, two] = await Promise.all([
        runIn(sandbox, code('one'), reaching(url)),
        runIn(sandbox, code('two'), reaching('http://other.test')),
      ])
      expect(one.stdout).toBe('reached /one\nca.pem,gateway.sock,resolv.conf\n')
      expect(two.stdout).toBe('host_not_approved\nca.pem,gateway.sock,resolv.conf\n')
    })

    it('answer the raw socket as they answer the relay', async () => {
      const run = await runIn(
        sandbox,
        `const ask = async (options, host) => {
         const conn = await Deno.connect(options)
         await conn.write(new TextEncoder().encode('GET ' + host + '/raw HTTP/1.1\\r\\nHost: ' + new URL(host).host + '\\r\\nConnection: close\\r\\n\\r\\n'))
         const text = await new Response(conn.readable).text()
         return text.split(' ')[1] + ' ' + (/reached \\/raw|host_not_approved/.exec(text) ?? [])[0]
       }
       for (const host of ['${url}', 'http://other.test']) {
         console.log(await ask({ transport: 'unix', path: '/run/oauth3/gateway.sock' }, host))
         console.log(await ask({ hostname: '127.0.0.1', port: 3128 }, host))
       }`,
        reaching(url),
      )
      expect(run.stdout).toBe(
        '200 reached /raw\n200 reached /raw\n403 host_not_approved\n403 host_not_approved\n',
      )
    })

    it.runIf(isRoot)(
      'are shut to other users of the host, though their sockets are open to all',
      async () => {
        const endpoint = await kit.gateway.open()
        const socket = join(endpoint.directory, 'gateway.sock')
        expect(statSync(socket).mode & 0o777).toBe(0o666)
        expect(statSync(kit.directory).mode & 0o777).toBe(0o700)
        const script = `require('node:net').connect(${JSON.stringify(socket)}).on('connect', () => process.exit(0)).on('error', (error) => { console.log(error.code); process.exit(1) })`
        const tryAs = (user: { uid?: number; gid?: number }) =>
          spawnSync('/usr/bin/env', ['node', '-e', script], { cwd: '/', encoding: 'utf8', ...user })
        expect(tryAs({}).status).toBe(0)
        expect(tryAs({ uid: 65_532, gid: 65_532 }).stdout).toBe('EACCES\n')
        await endpoint.close()
      },
    )

    it('carry many connections at once', async () => {
      const run = await runIn(
        sandbox,
        `const all = await Promise.all(Array.from({ length: 100 }, async (_, at) => (await fetch('${url}/' + at)).text()))
       console.log(all.filter((text, at) => text === 'reached /' + at).length)`,
        reaching(url),
      )
      expect(run.stdout).toBe('100\n')
    })

    it('are flooded by one run without harm to another, or to that run itself', async () => {
      const up = Promise.withResolvers<void>()
      const flood = runIn(
        sandbox,
        `const open = []
       for (let i = 0; i < 3_000; i++) {
         const options = i % 2 ? { hostname: '127.0.0.1', port: 3128 } : { transport: 'unix', path: '/run/oauth3/gateway.sock' }
         await Deno.connect(options).then((conn) => open.push(conn), () => {})
       }
       console.log('open')
       await new Promise((done) => setTimeout(done, 2_000))
       for (const conn of open) { try { conn.close() } catch { /* closed by the other side */ } }
       for (;;) {
         const text = await fetch('${url}/after').then((answer) => answer.text(), () => '')
         if (text === 'reached /after') break
         await new Promise((done) => setTimeout(done, 20))
       }
       console.log('well again')
       Deno.exit(0)`,
        { ...reaching(url), onOutput: () => up.resolve() },
      )
      await up.promise
      const other = await runIn(
        sandbox,
        `console.log(await (await fetch('${url}/other')).text())`,
        reaching(url),
      )
      expect(other.stdout).toBe('reached /other\n')
      expect((await flood).stdout).toBe('open\nwell again\n')
    })

    it('do not end a run that has every file open in the first second of its process', async () => {
      // Without a pool the process is new when the code begins.
      await using cold = await createSandbox({
        kind: 'docker',
        poolSize: 0,
        instanceId: `${INSTANCE}-cold`,
        endpoints: kit.gateway,
      })
      const run = await runIn(
        cold,
        `const open = []
       try { for (;;) open.push(Deno.openSync('/tmp/main.ts')) } catch { /* no more */ }
       await new Promise((done) => setTimeout(done, 1_000))
       for (const file of open) file.close()
       console.log('still well')`,
      )
      expect(run).toMatchObject({ end: 'exited', exitCode: 0, stdout: 'still well\n' })
    })

    it('are closed when their container is taken away, by whomever', async () => {
      const idle = await until(async () => {
        const all = await docker.listContainers({ filters: { label: [`oauth3.instance=${INSTANCE}`] } })
        // The pool may have learned to keep more.
        return all.length >= 2 ? all : undefined
      })
      const sources = idle.map(
        ({ Mounts }) => Mounts.find(({ Destination }) => Destination === '/run/oauth3')?.Source ?? '',
      )
      expect(sources.every((path) => existsSync(path))).toBe(true)
      for (const { Id } of idle) await docker.getContainer(Id).remove({ force: true })
      await until(async () => (sources.some((path) => existsSync(path)) ? undefined : true))
    })

    it('leave nothing behind when the sandbox is disposed of', async () => {
      await sandbox[Symbol.asyncDispose]()
      expect(readdirSync(kit.directory)).toEqual([])
      expect(
        await docker.listContainers({ all: true, filters: { label: [`oauth3.instance=${INSTANCE}`] } }),
      ).toEqual([])
    })

    it('are cleared away by the next start when a daemon was killed', async () => {
      const left = join(kit.directory, '0123456789abcdef')
      mkdirSync(left)
      writeFileSync(join(left, 'gateway.sock'), '')
      const gateway = createGateway({
        http2ToHosts: false,
        dial: createEgressDial(),
        inspections: INSPECTED_AT_ONCE,
        issuer: await createCertificateIssuer(),
        directory: kit.directory,
        log: () => {},
      })
      expect(readdirSync(kit.directory)).toEqual([])
      await gateway[Symbol.asyncDispose]()
    })
  },
)

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + patience(15_000)
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (Date.now() > deadline) throw new Error('it did not come to pass in time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
