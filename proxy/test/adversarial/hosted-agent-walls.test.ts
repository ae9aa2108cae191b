import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dumpContainer } from '../support/container-dump.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'

const docker = await dockerOrSkip()
const run = promisify(execFile)
const KEY = 'sk-ant-test-key-of-the-owner-not-real'

/** What somebody with a shell in a machine gets at. One daemon and two machines for all of it. */
describe.skipIf(!docker.available)('from inside a hosted agent', () => {
  const model = createMessagesApi(() => say(`said by the model, and ${KEY}`))
  let kit: DaemonKit
  const ids: Record<string, string> = {}
  const admin = (method: string, path: string, body?: unknown) => kit.admin(method, `/v1/hosts${path}`, body)
  const chat = async (text: string, name = 'claw'): Promise<string> =>
    (await admin('POST', `/${name}/chat`, { text })).body.text
  const shell = (code: string, name?: string): Promise<string> => chat(`shell ${code}`, name)
  const containerOf = async (name: string): Promise<string> => {
    const { stdout } = await run('docker', ['ps', '-q', '--filter', `label=oauth3.machine=${ids[name]}`])
    return stdout.trim()
  }

  beforeAll(async () => {
    kit = await createDaemonKit({
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
})
