/** A real Chromium in a machine, reached by a real client as any is: at /cdp, with the token of the agent whose it is. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { isPublicAddress } from '../../src/kernel/index.ts'
import { BROWSER_IMAGE, imageTag } from '../../src/sandbox/runtimes/index.ts'
import { adminCall, createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { type EgressUpstream, PUBLIC_ADDRESS, startEgressUpstream } from '../support/egress-upstream.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { patience } from '../support/pace.ts'

const docker = await dockerOrSkip({ images: ['browser'] })
const run = promisify(execFile)
const HOST = 'api.demo.test'
/** Killed badly, two at a time; 200 by hand. */
const KILLED = Number(process.env.BROWSER_SESSIONS ?? 4)

/** One daemon and one machine for all of it. */
describe.skipIf(!docker.available)('the browser of an agent', () => {
  let kit: DaemonKit
  let upstream: EgressUpstream
  let machineId = ''
  let other = ''
  const headers = (token = kit.token) => ({ authorization: `Bearer ${token}` })
  const cdp = () => `${kit.daemon.url}/cdp`
  const ask = async (path: string, method = 'GET', token = kit.token) => {
    const response = await fetch(`${cdp()}${path}`, { method, headers: headers(token) })
    // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
    return { status: response.status, body: (await response.json()) as any }
  }
  const connectClient = () =>
    chromium.connectOverCDP(cdp(), { headers: headers(), timeout: patience(60_000) })
  /** How the opening of a WebSocket ends: `open`, or the status of its refusal. */
  const opening = (url: string, keep?: (socket: WebSocket) => void): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url)
      socket
        .on('open', () => {
          resolve('open')
          if (keep) keep(socket)
          else socket.terminate()
        })
        .on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)))
        .on('error', () => resolve('error'))
    })
  const chromiums = async (): Promise<number> => {
    const { stdout } = await run('docker', ['ps', '-q', '--filter', `label=oauth3.machine=${machineId}`])
    const top = await run('docker', ['top', stdout.trim(), '-eo', 'pid,args'])
    return top.stdout.split('\n').filter((line) => line.includes('/usr/lib/chromium/')).length
  }
  const untilNone = () => expect.poll(chromiums, { timeout: patience(60_000) }).toBe(0)
  beforeAll(async () => {
    upstream = await startEgressUpstream([HOST])
    kit = await createDaemonKit({
      environment: { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0', OAUTH3_SIGNUP: 'password' },
      // Of the account's agent; browsers are of their own image.
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 512 * 1_048_576,
      },
      egress: {
        resolve: async () => [PUBLIC_ADDRESS],
        isPublic: (address) => address === PUBLIC_ADDRESS || isPublicAddress(address),
        tls: { ca: upstream.ca },
      },
    })
    other = (await kit.admin('POST', '/v1/agents', { name: 'other' })).body.token
    const made = await kit.admin('POST', '/v1/hosts/browsers', { name: 'web', agent: 'claw' })
    expect(made).toMatchObject({ status: 200, body: { kind: 'browser', name: 'web' } })
    machineId = made.body.id
  }, patience(120_000))
  let removeAnns = async (): Promise<void> => {}
  afterAll(async () => {
    await removeAnns()
    await kit.admin('POST', '/v1/hosts/web/order', { order: 'remove' })
    await vi.waitFor(async () => expect((await kit.admin('GET', '/v1/hosts')).body.hosts).toEqual([]), {
      timeout: patience(60_000),
      interval: 100,
    })
    await kit[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  }, patience(120_000))

  it(
    'is used by Playwright as it comes, reaches what its list says and nothing else, and is gone with its session',
    async () => {
      await kit.admin('POST', '/v1/hosts/web/egress', { allow: [`${HOST}:${upstream.port}`] })
      const browser = await connectClient()
      const page = await (browser.contexts()[0] ?? (await browser.newContext())).newPage()
      await page.goto(`https://${HOST}:${upstream.port}/echo/hello`)
      expect(await page.textContent('body')).toContain('/echo/hello')
      const beyond = await page.goto('https://other.demo.test/').then(
        (answer) => String(answer?.status()),
        (error: Error) => error.message,
      )
      expect(beyond).toMatch(/403|ERR_/)
      for (const own of ['http://127.0.0.1:9221/version', 'http://localhost:3128/']) {
        const answer = await page.goto(own).catch(() => null)
        expect(answer === null || answer.status() === 403, own).toBe(true)
      }
      expect(upstream.seen.map(({ url }) => url)).toContain('/echo/hello')
      expect((await page.screenshot()).length).toBeGreaterThan(1_000)
      await browser.close()
      await untilNone()
    },
    patience(120_000),
  )

  it(
    'is ready once it trusts the gateway, though its machine runs before there is an authority',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'br-'))
      const server = createServer()
      const name = `browser-sessions-${process.pid}`
      try {
        const dialled = once(server.listen(join(folder, 'machine.sock')), 'connection')
        await once(server, 'listening')
        for (const path of [folder, join(folder, 'machine.sock')]) chmodSync(path, 0o777)
        await run('docker', [
          ...['run', '--detach', '--rm', '--name', name, '--read-only', '--network', 'none'],
          ...['--tmpfs', '/tmp:size=256m,mode=1777', '--volume', `${folder}:/run/oauth3:ro`],
          imageTag(BROWSER_IMAGE),
        ])
        const [socket] = (await dialled) as [Socket]
        const states: string[] = []
        for await (const line of createInterface({ input: socket.on('error', () => {}) })) {
          const { state } = JSON.parse(line)
          if (state !== undefined) states.push(state)
          if (state === 'ready' || state === 'failed') break
          if (state !== 'waiting') continue
          writeFileSync(join(folder, 'ca.pem'), upstream.ca, { mode: 0o644 })
          socket.write('{"do":"configure"}\n')
        }
        expect(states).toEqual(['waiting', 'starting', 'ready'])
        const { stdout } = await run('docker', [
          ...['exec', name, 'certutil', '-d', 'sql:/tmp/home/.pki/nssdb', '-L', '-n', 'oauth3', '-a'],
        ])
        expect(stdout).toContain('BEGIN CERTIFICATE')
      } finally {
        server.close()
        await run('docker', ['rm', '--force', name]).catch(() => {})
        rmSync(folder, { recursive: true, force: true })
      }
    },
    patience(60_000),
  )

  it(
    'has one profile a session: what one has, the other does not see',
    async () => {
      const [one, two] = await Promise.all([connectClient(), connectClient()])
      await one.contexts()[0]?.addCookies([{ name: 'mine', value: '1', url: `https://${HOST}/` }])
      expect(await one.contexts()[0]?.cookies(`https://${HOST}/`)).toHaveLength(1)
      expect(await two.contexts()[0]?.cookies(`https://${HOST}/`)).toEqual([])
      const { body } = await ask('/json/list')
      expect(body.length).toBeGreaterThanOrEqual(2)
      await Promise.all([one.close(), two.close()])
      await untilNone()
    },
    patience(120_000),
  )

  it(
    'answers as Chromium does, with addresses of ours that open once',
    async () => {
      const { body: version } = await ask('/json/version')
      expect(version).toMatchObject({
        Browser: expect.stringContaining('Chrome/'),
        'Protocol-Version': '1.3',
      })
      const own = new URL(kit.daemon.url).host
      expect(version.webSocketDebuggerUrl).toMatch(new RegExp(`^ws://${own}/cdp/devtools/browser/`))
      const { status, body: target } = await ask('/json/new?about:blank', 'PUT')
      expect({ status, target }).toMatchObject({ status: 200, target: { type: 'page', url: 'about:blank' } })
      const stolen = target.webSocketDebuggerUrl.replace(`/page/${target.id}/`, '/browser/')
      expect(await opening(stolen)).toBe('401')
      expect(await opening(target.webSocketDebuggerUrl)).toBe('401')
      const listed = (await ask('/json/list')).body.find(({ id }: { id: string }) => id === target.id)
      expect(await opening(listed.webSocketDebuggerUrl)).toBe('open')
      expect(await opening(listed.webSocketDebuggerUrl)).toBe('401')
      await untilNone()
    },
    patience(120_000),
  )

  it('has no way to be its agent: whatever a page makes of Chromium finds neither the agent API nor a model', async () => {
    await ask('/json/version')
    const sockets = readdirSync(join(kit.folder, 'data', 'gateway', machineId))
    expect(sockets.filter((name) => name.endsWith('.sock')).sort()).toEqual(['gateway.sock', 'machine.sock'])
  })

  it('is nobody else’s', async () => {
    expect(await ask('/json/version', 'GET', other)).toMatchObject({ status: 404 })
    expect((await ask('/json/list', 'GET', other)).body).toEqual([])
    expect(await ask('/json/version', 'GET', 'oa3_none')).toMatchObject({ status: 401 })
    expect(await opening(`${cdp().replace('http', 'ws')}/devtools/browser/none?ticket=none`)).toBe('401')
    expect((await ask('/json/nothing')).status).toBe(404)
  })

  it(
    'leaves no Chromium behind, however badly its clients end',
    async () => {
      const kill = async (): Promise<void> => {
        const { body } = await ask('/json/version')
        await opening(body.webSocketDebuggerUrl, (socket) => socket.terminate())
      }
      for (let left = KILLED; left > 0; left -= 2) {
        await Promise.all([kill(), kill()])
        await untilNone()
      }
    },
    patience(60_000 * KILLED),
  )

  it(
    'is used by the account whose agent’s it is, as it comes, until that is signed out',
    async () => {
      const call = async (path: string, body: object, token = '') => {
        const response = await fetch(`${kit.daemon.url}${path}`, {
          method: 'POST',
          headers: { ...headers(token), 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
        return (await response.json()) as any
      }
      const ann = { email: 'ann@example.com', password: 'a battery, a staple' }
      const { access_token: token, user } = await call('/api/auth/signup', ann)
      const admin = (method: string, path: string, body?: object) =>
        adminCall(kit.daemon.adminSocketPath, method, path, body, { 'x-oauth3-tenant': user.tenant })
      removeAnns = async () => {
        await admin('POST', '/v1/hosts/desk/order', { order: 'remove' })
        await vi.waitFor(async () => expect((await admin('GET', '/v1/hosts')).body.hosts).toEqual([]), {
          ...{ timeout: patience(60_000), interval: 100 },
        })
      }
      // Without one nobody may speak to her agent.
      const key = { provider: 'anthropic', value: 'sk-ant-test-key-of-ann-not-real' }
      expect((await admin('POST', '/v1/provider-keys', key)).status).toBe(200)
      const { id } = await call('/api/instances', { name: 'desk' }, token)
      const made = await admin('POST', '/v1/hosts/browsers', { name: 'web', agent: 'desk' })
      expect(made.status, JSON.stringify(made.body)).toBe(200)
      const browser = await chromium.connectOverCDP(`${cdp()}?instance=${id}`, {
        ...{ headers: headers(token), timeout: patience(60_000) },
      })
      const page = await (browser.contexts()[0] ?? (await browser.newContext())).newPage()
      expect(await page.evaluate('1 + 1')).toBe(2)
      // The agent whose browser it is sees nothing of that.
      const list = [{ role: 'user', content: 'api GET /cdp/json/list' }]
      const { choices } = await call('/v1/chat/completions', { model: 'desk', messages: list }, token)
      expect(choices[0].message.content).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n\[\]$/)
      const over = new Promise((resolve) => browser.once('disconnected', resolve))
      await call('/api/auth/logout', {}, token)
      await over
    },
    patience(120_000),
  )

  it(
    'ends what is under way in a lockdown, and with its agent',
    async () => {
      const open = async (): Promise<Promise<unknown>[]> => {
        const { body } = await ask('/json/version')
        const { promise, resolve } = Promise.withResolvers<WebSocket>()
        expect(await opening(body.webSocketDebuggerUrl, resolve)).toBe('open')
        const socket = await promise
        return [new Promise((ended) => socket.once('close', ended))]
      }
      const before = await open()
      await kit.admin('POST', '/v1/panic')
      await Promise.all(before)
      expect((await ask('/json/version')).status).toBe(503)
      await kit.admin('POST', '/v1/panic/end', { confirm: 'unlock' })
      const again = await open()
      await kit.admin('DELETE', '/v1/agents/claw')
      await Promise.all(again)
      expect((await ask('/json/version')).status).toBe(401)
    },
    patience(120_000),
  )
})
