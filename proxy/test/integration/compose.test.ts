import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ComposeProject, composeOrSkip } from '../support/compose.ts'
import { patience } from '../support/pace.ts'

/** docker-compose.yml and proxy/Dockerfile as they ship, brought up for real. A first build takes minutes. */
const BUILD_MS = 540_000
const compose = await composeOrSkip()
const SECRET = 'demo-value-for-compose'

describe.skipIf(!compose.available)(`docker-compose [${compose.reason}]`, () => {
  const docker = new Docker()
  let project: ComposeProject
  let instanceId = ''
  let isDown = false
  const statuses: string[] = []

  const ours = (type: string) => ({ label: [type] })
  const containersOf = (label: string) => docker.listContainers({ all: true, filters: ours(label) })
  const projectLabel = () => `com.docker.compose.project=${project.name}`
  const json = async <T>(answer: Promise<{ code: number; stdout: string; stderr: string }>): Promise<T> => {
    const { code, stdout, stderr } = await answer
    if (code !== 0) throw new Error(`${stdout}${stderr}`)
    return JSON.parse(stdout) as T
  }
  const url = (path: string): string => `http://127.0.0.1:${project.port}${path}`
  const until = async <T>(what: string, look: () => Promise<T | undefined>, limitMs: number): Promise<T> => {
    for (const end = Date.now() + patience(limitMs); Date.now() < end; ) {
      const seen = await look().catch(() => undefined)
      if (seen !== undefined) return seen
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    throw new Error(`${what} did not come about within ${limitMs} ms`)
  }

  beforeAll(async () => {
    project = await ComposeProject.create({ OAUTH3_POOL_SIZE: '1' })
    const up = await project.compose(['up', '-d', '--build'], { timeoutMs: BUILD_MS })
    if (up.code !== 0) throw new Error(`docker-compose up failed:\n${up.stdout}${up.stderr}`.slice(-4_000))
    // Right behind it, as a newcomer does.
    for (let said = ''; said !== 'ok'; ) {
      const { code, stdout } = await project.oauth3(['status', '--json'])
      said = code === 0 ? (JSON.parse(stdout) as { status: string }).status : `exit ${code}`
      if (statuses.at(-1) !== said) statuses.push(said)
    }
  }, BUILD_MS)

  afterAll(async () => {
    if (!isDown) await project?.[Symbol.asyncDispose]()
  }, patience(150_000))

  it('comes up with the Docker sandbox, built by its own one-shot service', async () => {
    const health = await until(
      'the sandbox',
      async () => {
        const answer = (await (await fetch(url('/health'))).json()) as { status: string; sandbox: string }
        return answer.sandbox === 'docker' ? answer : undefined
      },
      patience(60_000),
    )
    expect(health).toMatchObject({ status: 'ok', telegram: 'disabled', database: 'ok', sandbox: 'docker' })
    const oneShot = await until(
      'the end of the image build',
      async () =>
        (await containersOf(projectLabel())).find(
          ({ Labels, State }) => Labels['com.docker.compose.service'] === 'images' && State === 'exited',
        ),
      60_000,
    )
    expect(oneShot.Status).toContain('Exited (0)')
  })

  it('says that it is starting until it can run code, and nothing worse', () => {
    expect(statuses.filter((said) => !['exit 3', 'starting', 'ok'].includes(said))).toEqual([])
  })

  it('listens on loopback only, as nobody, without capabilities, on a read-only root', async () => {
    const [daemon] = (await containersOf(projectLabel())).filter(
      ({ Labels }) => Labels['com.docker.compose.service'] === 'oauth3',
    )
    const { Config, HostConfig } = await docker.getContainer(daemon?.Id ?? '').inspect()
    expect(Config.User).toMatch(/^65531:\d+$/)
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], Privileged: false })
    expect(HostConfig.SecurityOpt).toContain('no-new-privileges:true')
    expect(HostConfig.PortBindings['3737/tcp']).toEqual([
      { HostIp: '127.0.0.1', HostPort: String(project.port) },
    ])
    const probe = await project.compose(
      [
        'exec',
        '-T',
        'oauth3',
        'node',
        '-e',
        `const { readFileSync, statSync } = require('node:fs')
         const mode = (path) => (statSync(path).mode & 0o777).toString(8)
         console.log(JSON.stringify({
           capabilities: /CapEff:\\s*(\\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1],
           modes: ['/data', '/keys', '/data/proxy.db', '/keys/master.key'].map(mode),
           pid1: readFileSync('/proc/1/cmdline', 'utf8').split('\\0').slice(1, 10),
         }))`,
      ],
      {},
    )
    expect(JSON.parse(probe.stdout)).toEqual({
      capabilities: '0000000000000000',
      modes: ['700', '700', '600', '600'],
      pid1: [
        '--max-semi-space-size=16',
        '--initial-old-space-size=64',
        '--heap-growing-percent=30',
        '--no-allocation-site-pretenuring',
        '--no-parallel-scavenge',
        '--bytecode-old-age=2',
        '--expose-gc',
        '/app/proxy/dist/main.js',
        'daemon',
      ],
    })
  })

  it('runs what the CLI inside approves, in a container of the host engine, with the secret', async () => {
    expect((await project.oauth3(['secret', 'add', 'DEMO_SECRET'], SECRET)).stderr).toBe('')
    const { token } = await json<{ token: string }>(project.oauth3(['agent', 'add', 'compose', '--json']))
    const authorization = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const asked = await fetch(url('/execute'), {
      method: 'POST',
      headers: authorization,
      body: JSON.stringify({
        skill_id: 'compose-check',
        code: 'console.log(Deno.env.get("DEMO_SECRET").length, [...Deno.readDirSync("/tmp")].length)',
        secrets: [{ name: 'DEMO_SECRET', mode: 'raw' }],
      }),
    })
    expect(asked.status).toBe(202)
    const { request_id: id } = (await asked.json()) as { request_id: string }
    const shown = await json<{ card: { runtime: string } }>(project.oauth3(['show', id, '--json']))
    expect(shown.card.runtime).toContain('container')
    expect((await project.oauth3(['approve', id, '--once'])).stdout).toContain('approved (once)')

    const answer = await fetch(url(`/execute/${id}?wait=30`), { headers: authorization })
    expect(await answer.json()).toMatchObject({
      status: 'success',
      stdout: expect.stringMatching(new RegExp(`^${SECRET.length} [1-9]`)),
      exit_code: 0,
    })
    expect((await project.oauth3(['audit', 'verify'])).code).toBe(0)
  })

  it('lets a run out through the gateway, whose socket lies in a volume that the engine can mount', async () => {
    const bridge = (await docker.getNetwork('bridge').inspect()) as {
      IPAM: { Config: { Gateway?: string }[] }
    }
    const address = bridge.IPAM.Config[0]?.Gateway ?? '172.17.0.1'
    const upstream = createServer((request, response) => response.end(`saw ${request.headers['x-demo']}`))
    await new Promise<void>((resolve) => upstream.listen(0, address, resolve))
    const origin = `http://${address}:${(upstream.address() as AddressInfo).port}`
    try {
      const { token } = await json<{ token: string }>(project.oauth3(['agent', 'add', 'gateway', '--json']))
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const asked = await fetch(url('/execute'), {
        method: 'POST',
        headers,
        body: JSON.stringify({
          skill_id: 'compose-gateway',
          code: `const header = { 'x-demo': Deno.env.get('DEMO_SECRET') }
            const answer = await fetch('${origin}/', { headers: header })
            console.log(answer.status, await answer.text())
            const refused = await fetch('https://other.example.com/', { headers: header })
            console.log(refused.status, (await refused.json()).error.rule)`,
          secrets: ['DEMO_SECRET'],
          metadata: { network: [origin] },
        }),
      })
      expect(asked.status).toBe(202)
      const { request_id: id } = (await asked.json()) as { request_id: string }
      expect((await project.oauth3(['approve', id, '--once'])).stdout).toContain('approved (once)')
      const answer = await fetch(url(`/execute/${id}?wait=30`), { headers })
      // The upstream got the value, and its echo came back without it.
      expect(await answer.json()).toMatchObject({
        status: 'success',
        stdout: '200 saw [secret:DEMO_SECRET]\n403 host_not_approved\n',
      })
    } finally {
      upstream.close()
    }
  })

  it('logs lines of JSON and nothing else, after runs and their connections too', async () => {
    const { stdout } = await project.compose(['logs', '--no-color', '--no-log-prefix', 'oauth3'])
    const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('Attaching to '))
    expect(lines.some((line) => line.includes('oauth3 is ready'))).toBe(true)
    expect(lines.filter((line) => !line.startsWith('{"level":'))).toEqual([])
  })

  it(
    'is backed up while it runs, and restored as the page says',
    async () => {
      expect(await project.oauth3(['backup', '/data/backup.db'])).toMatchObject({ code: 0, stderr: '' })
      await json(project.oauth3(['agent', 'add', 'late', '--json']))
      expect((await project.oauth3(['restore', '/data/backup.db'])).code).toBe(5)
      expect((await project.compose(['stop', 'oauth3'])).code).toBe(0)
      const restored = await project.compose([
        'run',
        '--rm',
        '-T',
        '--no-deps',
        'oauth3',
        'restore',
        '/data/backup.db',
      ])
      expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining('/data/proxy.db restored') })
      expect((await project.compose(['start', 'oauth3'])).code).toBe(0)
      const agents = await until(
        'the daemon',
        async () => json<{ agents: { name: string }[] }>(project.oauth3(['agent', 'list', '--json'])),
        60_000,
      )
      expect(agents.agents.map(({ name }) => name)).not.toContain('late')
      expect(agents.agents.map(({ name }) => name)).toContain('compose')
    },
    patience(300_000),
  )

  it(
    'leaves nothing behind on down -v, its waiting sandboxes included',
    async () => {
      const asked = await project.compose([
        'exec',
        '-T',
        'oauth3',
        'node',
        '-p',
        `new (require('better-sqlite3'))('/data/proxy.db', { readonly: true })
         .prepare("SELECT value FROM installation WHERE key = 'instance_id'").pluck().get()`,
      ])
      instanceId = asked.stdout.trim()
      const label = `oauth3.instance=${instanceId}`
      await until(
        'a waiting sandbox',
        async () => ((await containersOf(label)).length > 0 ? true : undefined),
        20_000,
      )
      await project[Symbol.asyncDispose]()
      isDown = true
      expect(await containersOf(label)).toEqual([])
      expect(await containersOf(projectLabel())).toEqual([])
      expect(await docker.listNetworks({ filters: ours(projectLabel()) })).toEqual([])
      expect((await docker.listVolumes({ filters: ours(projectLabel()) })).Volumes ?? []).toEqual([])
    },
    patience(150_000),
  )
})
