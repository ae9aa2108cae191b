import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createServer as createTlsServer } from 'node:tls'
import type { Container } from 'dockerode'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { newPrivateKey, selfSignedCertificate } from '../../src/egress/certificates/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { imageTag, OPENCLAW_IMAGE } from '../../src/sandbox/runtimes/index.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { EC2_PLACE, type Ec2Double, startEc2, withoutBotocore } from '../support/ec2.ts'
import { freePort } from '../support/free-port.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { tellHost } from '../support/tell-host.ts'

const docker = await dockerOrSkip({ images: ['deno', 'openclaw'] })
const skip = withoutBotocore() ?? (docker.available ? undefined : docker.reason)
const PATIENCE = { timeout: patience(60_000) }
const SECRET = 's'.repeat(43)

interface Boot {
  readonly url: string
  readonly pin: string
  readonly path: string
  readonly token: string
}

/** One daemon, whose machines are instances; a container plays what EC2 makes, by the very user data that EC2 got. */
describe.skipIf(skip)(`an instance of EC2 ${skip ?? ''}`, () => {
  const model = createMessagesApi(async ({ body }) => say(`model heard: ${JSON.stringify(body.messages)}`))
  const engine = createEngineClient()
  const containers: Container[] = []
  let folder: string
  let ec2: Ec2Double
  let kit: DaemonKit
  let metadata: Server
  let port: number
  let instanceId = ''

  const admin = (method: string, path: string, body?: unknown) => kit.admin(method, `/v1/hosts${path}`, body)
  const audited = async (event: string) =>
    (await kit.admin('GET', `/v1/audit?event=${event}`)).body.rows.map(({ data }: { data: string }) =>
      JSON.parse(data),
    ) as Record<string, unknown>[]
  const instances = async () => (await ec2.state()).instances
  const bootOf = (userData: string): Boot =>
    JSON.parse(/boot\.json <<'END_OF_FILE'\n(.*)\n/.exec(userData)?.[1] ?? '{}')
  const userDataOf = async (at: number): Promise<string> => {
    await vi.waitUntil(async () => (await instances()).length > at, PATIENCE)
    const instance = (await instances())[at]
    instanceId = instance?.id ?? ''
    return Buffer.from(String(instance?.data.UserData), 'base64').toString()
  }
  async function runContainer(
    Image: string,
    Entrypoint: string[],
    more: object,
    env: string[] = [],
  ): Promise<Container> {
    const sockets = { Type: 'bind' as const, Source: join(folder, 'sockets'), Target: '/run/oauth3' }
    const files = { Type: 'bind' as const, Source: join(folder, 'files'), Target: '/state/home' }
    const container = await engine.createContainer({
      ...{ Image, Entrypoint, Env: env },
      ...more,
      HostConfig: {
        Mounts: [sockets, files],
        NetworkMode: 'none',
        ...(more as { HostConfig?: object }).HostConfig,
      },
    })
    containers.push(container)
    await container.start()
    return container
  }
  const metadataUrl = () => `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`
  async function post(path: string, body: object): Promise<number> {
    const sent = request({
      ...{ host: '127.0.0.1', port, method: 'POST', path, rejectUnauthorized: false, agent: false },
      headers: { 'content-type': 'application/json' },
    }).end(JSON.stringify(body))
    const [answer] = await once(sent, 'response')
    await text(answer)
    return answer.statusCode
  }
  /** The status of its answer. */
  function stream(path: string, secret: string): Promise<number> {
    const headers = { connection: 'upgrade', upgrade: 'oauth3-machine', authorization: `Bearer ${secret}` }
    const sent = request({ host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false })
    return new Promise((resolve, reject) => {
      sent.on('response', ({ statusCode }) => resolve(statusCode ?? 0)).on('error', reject)
      sent.on('upgrade', (_answer, socket) => {
        socket.destroy()
        resolve(101)
      })
      sent.end()
    })
  }

  let userData: string
  let boot: Boot
  let bridge: Container

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'instance-'))
    for (const name of ['sockets', 'files']) mkdirSync(join(folder, name))
    // The machine's user is another one.
    chmodSync(join(folder, 'files'), 0o777)
    ec2 = await startEc2()
    port = await freePort()
    metadata = createServer((asked, answer) => {
      const isOpening = asked.method === 'PUT' && asked.url === '/latest/api/token'
      if (isOpening && asked.headers['x-aws-ec2-metadata-token-ttl-seconds'] === '60')
        return void answer.end('opened')
      const isAsking = asked.url === '/latest/meta-data/instance-id'
      answer.writeHead(isAsking && asked.headers['x-aws-ec2-metadata-token'] === 'opened' ? 200 : 401)
      answer.end(instanceId)
    }).listen(0, '127.0.0.1')
    await once(metadata, 'listening')
    kit = await createDaemonKit({
      agent: 'other',
      environment: {
        OAUTH3_SANDBOX: 'embedded',
        OAUTH3_HOST_DRIVER: 'ec2',
        OAUTH3_EC2_REGION: ec2.access.region,
        OAUTH3_EC2_SUBNET: EC2_PLACE.subnet,
        OAUTH3_EC2_SECURITY_GROUP: EC2_PLACE.securityGroups[0] ?? '',
        OAUTH3_EC2_IMAGE: 'ami-0123456789abcdef0',
        OAUTH3_EC2_ENDPOINT: ec2.access.endpoint ?? '',
        AWS_ACCESS_KEY_ID: ec2.access.keyId,
        AWS_SECRET_ACCESS_KEY: ec2.access.secret.open(),
        OAUTH3_MACHINES_URL: `https://127.0.0.1:${port}`,
        OAUTH3_MACHINES_LISTEN: `127.0.0.1:${port}`,
      },
    })
    const url = await model.listen()
    await kit.admin('PUT', '/v1/providers/anthropic/params/url', { value: url, private: true })
    await kit.admin('POST', '/v1/provider-keys', { provider: 'anthropic', value: 'sk-ant-not-a-real-key' })
    await admin('POST', '', { name: 'claw', provider: 'anthropic', model: 'claude-sonnet-5-5' })
    userData = await userDataOf(0)
    boot = bootOf(userData)
  }, patience(90_000))
  afterAll(async () => {
    for (const container of containers) await container.remove({ force: true, v: true }).catch(() => {})
    await kit[Symbol.asyncDispose]()
    await model[Symbol.asyncDispose]()
    await ec2[Symbol.asyncDispose]()
    metadata.close()
    rmSync(folder, { recursive: true, force: true })
  }, patience(60_000))

  it('gets a script that fits, with nothing in it that is good for more than one exchange', async () => {
    expect(userData.startsWith('#!/bin/sh\n')).toBe(true)
    expect(Buffer.byteLength(userData)).toBeLessThan(16_384)
    expect(Object.keys(boot).sort()).toEqual(['path', 'pin', 'token', 'url'])
    expect(await stream(`${boot.path}/streams/agent.sock`, boot.token.slice(4))).toBe(401)
    for (const path of [`${boot.path}/streams/agent.sock`, '/', '/v1/agents', '/v1/hosts'])
      expect(await post(path, {}), path).toBe(404)
  })

  it('is nobody by a token that is another one’s, or by none', async () => {
    const claim = { secret: SECRET, instance: instanceId }
    const others = boot.path.replace(/\d+$/, '2')
    for (const [path, token] of [
      [boot.path, `oi1_${'a'.repeat(43)}`],
      [boot.path, ''],
      [others, boot.token],
      [boot.path.replace('default', 'ten_0000000000000000'), boot.token],
    ] as const)
      expect(await post(`${path}/claim`, { ...claim, token }), path).toBe(401)
    expect(await audited('machine.identified')).toEqual([])
  })

  it(
    'becomes its machine by running its user data, and is talked to through the model proxy and the agent API',
    async () => {
      writeFileSync(join(folder, 'user-data'), userData)
      const script = { Type: 'bind' as const, Source: join(folder, 'user-data'), Target: '/user-data' }
      const sockets = { Type: 'bind' as const, Source: join(folder, 'sockets'), Target: '/run/oauth3' }
      bridge = await runContainer(
        imageTag(OPENCLAW_IMAGE),
        ['/bin/sh', '/user-data'],
        { User: '0:0', HostConfig: { NetworkMode: 'host', Mounts: [sockets, script] } },
        [`OAUTH3_METADATA=${metadataUrl()}`],
      )
      await runContainer(MACHINE_IMAGE, ['/bin/deno', 'eval', PLAYED_MACHINE], { User: '65532:65532' })
      const said = await tellHost(admin, '/claw', 'hello')
      expect(said).toMatchObject({ status: 200 })
      expect(said.body.text).toContain('model heard: [{"role":"user","content":"hello"}]')
      const asked = await tellHost(admin, '/claw', 'api GET /secrets')
      expect(asked.body.text).toContain('200 OK')
      expect(await audited('machine.identified')).toMatchObject([{ instance: instanceId, generation: 1 }])
      expect(model.refused).toEqual([])
    },
    patience(90_000),
  )

  it(
    'is still itself when it starts anew, and when the daemon does',
    async () => {
      await bridge.restart({ t: 0 })
      const again = () => tellHost(admin, '/claw', 'again').then(({ status }) => status)
      await expect.poll(again, PATIENCE).toBe(200)
      await kit.restart()
      await expect.poll(again, PATIENCE).toBe(200)
      expect(await audited('machine.identity_taken')).toEqual([])
      expect(await stream(`${boot.path}/streams/machine.sock`, SECRET)).toBe(401)
    },
    patience(90_000),
  )

  it('says nothing to a daemon with another key', async () => {
    const privateKey = await newPrivateKey()
    const { createPrivateKey, createPublicKey } = await import('node:crypto')
    const keys = { privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(privateKey) }
    const heard: Buffer[] = []
    const cert = await selfSignedCertificate(keys, '127.0.0.1')
    const impostor = createTlsServer({ key: privateKey, cert }, (socket) =>
      socket.on('data', (bytes) => heard.push(bytes)).on('error', () => {}),
    )
    await once(impostor.listen(0, '127.0.0.1'), 'listening')
    const place = join(folder, 'misled')
    mkdirSync(place)
    const images = join(import.meta.dirname, '../../../sandbox-images')
    copyFileSync(join(images, 'instance/bridge.mjs'), join(place, 'bridge.mjs'))
    copyFileSync(join(images, 'openclaw/sockets.mjs'), join(place, 'sockets.mjs'))
    const url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}`
    writeFileSync(join(place, 'boot.json'), JSON.stringify({ ...boot, url }))
    const child = spawn(process.execPath, [join(place, 'bridge.mjs')], {
      env: { OAUTH3_METADATA: metadataUrl() },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [line] = await once(child.stderr, 'data')
    expect(String(line)).toContain('is not the daemon')
    child.kill('SIGKILL')
    await once(child, 'close')
    impostor.close()
    expect(Buffer.concat(heard).toString()).toBe('')
  })

  it(
    'is reached from where `doctor` stands',
    async () => {
      const { body } = await kit.admin('POST', '/v1/doctor')
      expect(body.checks).toContainEqual(
        expect.objectContaining({ name: 'machines', ok: true, said: expect.stringContaining('this daemon') }),
      )
      expect(body.checks).toContainEqual(expect.objectContaining({ name: 'ec2', ok: true }))
    },
    patience(90_000),
  )

  it(
    'that shows itself twice is ended at once, and the owner is told',
    async () => {
      const { token } = boot
      const held = connectTcp(join(folder, 'sockets', 'machine.sock'))
      await once(held, 'connect')
      const isCut = once(held, 'close')
      held.on('error', () => {}).resume()
      held.write(`${JSON.stringify({ oauth3: 1, role: 'control', image: 'played' })}\n`)
      await once(held, 'data')
      expect(await post(`${boot.path}/claim`, { token, secret: SECRET, instance: instanceId })).toBe(403)
      await isCut
      // Neither of the two is the machine from here on.
      expect(await stream(`${boot.path}/streams/agent.sock`, SECRET)).toBe(401)
      expect(await post(`${boot.path}/claim`, { token, secret: SECRET, instance: instanceId })).toBe(403)
      expect((await bridge.wait()).StatusCode).toBe(3)
      await kit.telegram.waitForMessage(
        ({ text: told }) => /shown itself as the hosted agent claw/.test(told),
        patience(20_000),
      )
      await expect.poll(async () => (await instances())[0]?.state, PATIENCE).toBe('terminated')
      expect((await admin('GET', '/claw')).body.host ?? (await admin('GET', '')).body.hosts[0]).toMatchObject(
        {
          wanted: 'asleep',
        },
      )
      expect(await audited('machine.identity_taken')).toHaveLength(1)
      // Whoever wants it has another one, with a token of its own.
      await admin('POST', '/claw/order', { order: 'wake' })
      const next = bootOf(await userDataOf(1))
      expect(next.path).not.toBe(boot.path)
      expect(next.token).not.toBe(token)
      expect(await post(`${boot.path}/claim`, { token, secret: SECRET, instance: instanceId })).toBe(403)
    },
    patience(90_000),
  )
})
