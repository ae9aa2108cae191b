import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/kernel/index.ts'
import { dumpContainer } from '../support/container-dump.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { type EgressUpstream, PUBLIC_ADDRESS, startEgressUpstream } from '../support/egress-upstream.ts'
import { ask, openRequest } from '../support/gateway-client.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { tellHost } from '../support/tell-host.ts'

const docker = await dockerOrSkip()
const run = promisify(execFile)
const KEY = 'sk-ant-test-key-of-the-owner-not-real'

/** What somebody with a shell in a machine gets at. One daemon and two machines for all of it. */
describe.skipIf(!docker.available)('from inside a hosted agent', () => {
  const model = createMessagesApi(() => say(`said by the model, and ${KEY}`))
  let kit: DaemonKit
  let upstream: EgressUpstream
  /** What names lead to; all others to the upstream. */
  const addresses = new Map<string, () => readonly string[]>()
  const ids: Record<string, string> = {}
  const admin = (method: string, path: string, body?: unknown) => kit.admin(method, `/v1/hosts${path}`, body)
  const chat = async (text: string, name = 'claw'): Promise<string> =>
    (await tellHost(admin, `/${name}`, text)).body.text
  const shell = (code: string, name?: string): Promise<string> => chat(`shell ${code}`, name)
  const containerOf = async (name: string): Promise<string> => {
    const { stdout } = await run('docker', ['ps', '-q', '--filter', `label=oauth3.machine=${ids[name]}`])
    return stdout.trim()
  }

  const at = (host: string): string => `${host}:${upstream.port}`
  /** As the machine would. */
  const folderOf = (name: string) => ({ directory: join(kit.folder, 'data', 'gateway', ids[name] ?? '') })
  const asMachine = (name: string, host: string, path = '/') =>
    ask(folderOf(name), `https://${at(host)}${path}`)
  const reach = (name: string, change: object) => admin('POST', `/${name}/egress`, change)
  const rows = async (event: string) =>
    (await kit.admin('GET', '/v1/audit?limit=1000')).body.rows
      .filter((row: { event: string }) => row.event === event)
      .map((row: { actor: string; request_id: string | null; data: string }) => ({
        ...{ actor: row.actor, request_id: row.request_id, data: JSON.parse(row.data) },
      }))

  beforeAll(async () => {
    upstream = await startEgressUpstream(['api.demo.test', 'other.demo.test', 'rebind.demo.test'])
    kit = await createDaemonKit({
      egress: {
        resolve: async (host) => addresses.get(host)?.() ?? [PUBLIC_ADDRESS],
        isPublic: (address) => address === PUBLIC_ADDRESS || isPublicAddress(address),
        tls: { ca: upstream.ca },
      },
      agent: 'other',
      environment: { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0' },
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 256 * 1_048_576,
      },
    })
    const url = await model.listen()
    await kit.admin('PUT', '/v1/providers/anthropic/params/url', { value: url, private: true })
    await kit.admin('POST', '/v1/provider-keys', { provider: 'anthropic', value: KEY })
    for (const name of ['claw', 'neighbour']) {
      const made = await admin('POST', '', { name, provider: 'anthropic', model: 'claude-sonnet-5-5' })
      ids[name] = made.body.id
      await chat('hello', name)
    }
  }, patience(90_000))
  afterAll(async () => {
    for (const name of ['claw', 'neighbour']) await admin('POST', `/${name}/order`, { order: 'remove' })
    for (let left = 200; left > 0 && (await admin('GET', '')).body.hosts.length > 0; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    await kit[Symbol.asyncDispose]()
    await model[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  }, patience(60_000))

  it('no host, no address of a cloud, no bridge, no port of the daemon and no neighbour is reached', async () => {
    const port = new URL(kit.daemon.url).port
    const targets = [
      '169.254.169.254:80',
      '172.17.0.1:22',
      `172.17.0.1:${port}`,
      `127.0.0.1:${port}`,
      '1.1.1.1:53',
    ]
    for (const target of targets) {
      const [hostname, at] = target.split(':')
      const said = await shell(
        `return await Promise.race([Deno.connect({ hostname: '${hostname}', port: ${at} }).then(() => 'CONNECTED', (e) => 'refused ' + e.name), new Promise((r) => setTimeout(r, 3000, 'silence'))])`,
      )
      expect(`${target} ${said}`).toMatch(/ (refused|silence)/)
    }
    const devices = await shell(`return Deno.readTextFileSync('/proc/net/dev')`)
    expect(devices.match(/^ *\w+(?=:)/gm)?.map((name) => name.trim())).toEqual(['lo'])
  })

  it('there is no socket but its own, and nothing that it writes stands in the daemon’s way', async () => {
    // It goes through the folder to sockets that it knows, and does not even list it.
    const listed = await shell(
      `try { return [...Deno.readDirSync('/run/oauth3')].length } catch (e) { return e.name }`,
    )
    expect(listed).toBe('PermissionDenied')
    for (const act of [
      `Deno.removeSync('/run/oauth3/model.sock')`,
      `Deno.writeTextFileSync('/run/oauth3/x', 'x')`,
      `Deno.symlinkSync('/etc/passwd', '/run/oauth3/x')`,
      `Deno.writeTextFileSync('/x', 'x')`,
    ])
      expect(await shell(`try { ${act}; return 'done' } catch (e) { return 'refused ' + e.name }`)).toMatch(
        /^refused/,
      )
    const sockets = await shell(
      `return ['/var/run/docker.sock', '/run/docker.sock', '${join(kit.folder, 'data', 'admin.sock')}'].filter((p) => { try { Deno.statSync(p); return true } catch { return false } }).join() || 'none'`,
    )
    expect(sockets).toBe('none')
  })

  it('the agent API answers for it alone, whatever token it sends', async () => {
    const owner = await shell(
      `return await call('agent.sock', 'GET', '/v1/secrets', { authorization: 'Bearer ${kit.token}' }, '')`,
    )
    expect(owner).toMatch(/^HTTP\/1\.1 404 /)
    const mine = await shell(
      `return await call('agent.sock', 'POST', '/execute', { authorization: 'Bearer ${kit.token}' }, JSON.stringify({ skill_id: 'demo/mine', code: 'console.log(1)' }))`,
    )
    const id = /req_[0-9a-f]{32}/.exec(mine)?.[0] ?? ''
    const { body } = await kit.admin('GET', `/v1/requests/${id}`)
    expect(JSON.stringify(body)).toContain('"claw"')
    const theirs = await shell(
      `return await call('agent.sock', 'GET', '/execute/${id}', {}, '')`,
      'neighbour',
    )
    expect(theirs).toMatch(/^HTTP\/1\.1 404 /)
  })

  it('the model endpoint is its provider’s messages, and nothing else', async () => {
    for (const path of [
      '/v1/models',
      '/v1/files',
      '/openai/v1/chat/completions',
      '/../v1/messages',
      '/v1/secrets',
    ]) {
      const said = await shell(
        `return await call('model.sock', 'POST', '${path}', { 'x-api-key': 'x' }, '{}')`,
      )
      expect(`${path} ${said.slice(0, 12)}`).toMatch(/ HTTP\/1\.1 4/)
    }
  })

  it(
    'neither the key of the model nor a token of the daemon is in a byte of it',
    async () => {
      expect(await chat('say it')).not.toContain(KEY)
      const { places, memoryBytes } = await dumpContainer(
        new Docker().getContainer(await containerOf('claw')),
      )
      expect(memoryBytes).toBeGreaterThan(1_048_576)
      const tokens = new Set<string>()
      for (const [place, bytes] of places) {
        const text = bytes.toString('latin1')
        expect(text.includes(KEY), place).toBe(false)
        for (const [token] of text.matchAll(/oa3_[A-Za-z0-9_-]{43}/g)) tokens.add(token)
      }
      // What has a token's form there is the text that stands in its place, which was seen to open nothing; it was sent another agent's above.
      tokens.delete(kit.token)
      expect([...tokens].filter((one) => !one.startsWith('oa3_the-socket-is-the-identity'))).toEqual([])
      expect(tokens.size).toBeGreaterThan(0)
    },
    patience(60_000),
  )

  it('a control connection that says anything is no more than a machine that does', async () => {
    const path = join(kit.folder, 'data', 'gateway', ids.neighbour ?? '', 'machine.sock')
    const lines = [
      'null',
      '{"oauth3":1,"role":"stream","stream":"nobody-asked"}',
      `{"oauth3":1,"role":"control","x":"${'x'.repeat(40_000)}"}`,
      '{"oauth3":2}',
      '[]',
      'not json',
    ]
    for (const line of lines)
      await new Promise<void>((resolve) => {
        const socket = connect(path, () => socket.write(`${line}\n`))
        socket
          .on('error', () => {})
          .on('close', () => resolve())
          .resume()
      })
    expect(await chat('and yet', 'neighbour')).toContain('said by the model')
    // A control connection of its own that floods ends; the machine dials anew.
    await new Promise<void>((resolve) => {
      const socket = connect(path, () => {
        socket.write('{"oauth3":1,"role":"control"}\n')
        socket.write('x'.repeat(100_000))
      })
      socket
        .on('error', () => {})
        .on('close', () => resolve())
        .resume()
    })
    expect(await chat('and again', 'neighbour')).toContain('said by the model')
  })

  it('outside there is nothing that its owner did not name, nor what is another’s to reach', async () => {
    expect(await asMachine('claw', 'api.demo.test')).toMatchObject({ rule: 'host_not_approved' })
    expect(await reach('claw', { allow: [at('API.demo.test')] })).toMatchObject({
      body: { egress: [at('api.demo.test')] },
    })
    expect(await asMachine('claw', 'api.demo.test', '/mine?q=1')).toMatchObject({ status: 200 })
    const inside = `return await call('gateway.sock', 'GET', 'https://${at('api.demo.test')}/inside', { host: '${at('api.demo.test')}' }, '')`
    expect(await shell(inside)).toMatch(/^HTTP\/1\.1 200 /)
    for (const host of [
      'other.demo.test',
      'sub.api.demo.test',
      PUBLIC_ADDRESS,
      '127.0.0.1',
      '169.254.169.254',
    ])
      expect(await asMachine('claw', host), host).toMatchObject({ rule: 'host_not_approved' })
    expect(await asMachine('neighbour', 'api.demo.test')).toMatchObject({ rule: 'host_not_approved' })
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/mine?q=1', '/inside'])
    const of = { for: 'machine', machine: ids.claw, origin: `https://${at('api.demo.test')}` }
    const row = (path: string) => ({
      actor: expect.stringMatching(/^agent:/),
      request_id: null,
      data: expect.objectContaining({ ...of, path, status: 200 }),
    })
    await expect
      .poll(() => rows('egress.request'))
      .toEqual(expect.arrayContaining([row('/mine'), row('/inside')]))
  })

  it('what is not public is reached by no name and put on no list', async () => {
    for (const host of [
      '127.0.0.1:22',
      '[::1]',
      '10.0.0.1',
      '169.254.169.254',
      'http://172.17.0.1',
      'localhost:8787',
      'x.localhost',
      'metadata',
      '*',
      'a b',
    ])
      expect(await reach('claw', { allow: [host] }), host).toMatchObject({
        body: { error: { code: 'invalid_request' } },
      })
    await reach('claw', { allow: [at('rebind.demo.test')] })
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', '172.17.0.2', '::ffff:127.0.0.1']) {
      addresses.set('rebind.demo.test', () => [address])
      expect(await asMachine('claw', 'rebind.demo.test'), address).toMatchObject({
        rule: 'address_not_public',
      })
    }
    let asked = 0
    addresses.set('rebind.demo.test', () => {
      asked += 1
      return asked === 1 ? [PUBLIC_ADDRESS] : ['127.0.0.1']
    })
    expect(await asMachine('claw', 'rebind.demo.test')).toMatchObject({ status: 200 })
    expect(upstream.trapped).toEqual([])
  })

  /** A request whose answer is still to come, and how it ends. */
  async function underWay(name: string): Promise<{ readonly ended: Promise<string> }> {
    const path = `/hold/${name}`
    const release = upstream.nextHeld(path)
    const answered = openRequest(folderOf(name), `https://${at('api.demo.test')}${path}`).then(
      () => 'answered',
      () => 'cut',
    )
    void (await release)
    return { ended: answered }
  }

  it('what is under way ends when its host is taken off the list, in a lockdown, and with its agent', async () => {
    await reach('neighbour', { allow: [at('api.demo.test'), at('other.demo.test')] })
    const first = await underWay('neighbour')
    await reach('neighbour', { deny: [at('api.demo.test')] })
    expect(await first.ended).toBe('cut')
    expect(await asMachine('neighbour', 'api.demo.test')).toMatchObject({ rule: 'host_not_approved' })
    expect(await asMachine('neighbour', 'other.demo.test')).toMatchObject({ status: 200 })

    await reach('neighbour', { allow: [at('api.demo.test')] })
    const second = await underWay('neighbour')
    await kit.admin('POST', '/v1/panic')
    expect(await second.ended).toBe('cut')
    await expect(asMachine('neighbour', 'api.demo.test')).rejects.toThrow('no_run')
    await kit.admin('POST', '/v1/panic/end', { confirm: 'unlock' })
    expect(await asMachine('neighbour', 'api.demo.test')).toMatchObject({ status: 200 })

    const third = await underWay('neighbour')
    await kit.admin('DELETE', '/v1/agents/neighbour')
    expect(await third.ended).toBe('cut')
    await expect(asMachine('neighbour', 'api.demo.test')).rejects.toThrow('no_run')
  })

  it('the way outside, and the authority that its programs trust, outlive the daemon', async () => {
    const authority = (): string => readFileSync(join(folderOf('claw').directory, 'ca.pem'), 'utf8')
    const key = (): string =>
      new X509Certificate(authority()).publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const before = key()
    await kit.restart()
    expect(await asMachine('claw', 'api.demo.test')).toMatchObject({ status: 200 })
    expect(key()).toBe(before)
  })
})
