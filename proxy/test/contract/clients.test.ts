/** Real client libraries, unmodified, in the real images: each makes its own connections in its own way. */
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DockerSandbox } from '../../src/sandbox/runner/docker/docker-sandbox.ts'
import { imageTag } from '../../src/sandbox/runtimes/runtimes.ts'
import { type ClientBundler, installClients } from '../support/client-bundles.ts'
import { type ClientDoubles, startClientDoubles, TOKEN } from '../support/client-doubles.ts'
import { type ClientProgram, JAVASCRIPT_CLIENTS, PYTHON_CLIENTS } from '../support/client-programs.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import { PUBLIC_ADDRESS } from '../support/egress-upstream.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { buildPythonWithPackages } from '../support/python-packages.ts'
import { runIn } from '../support/sandbox-run.ts'

const available = await dockerOrSkip({ images: ['deno', 'node', 'python'] })
const INSTALL_MS = 400_000

describe.skipIf(!available.available)(`client libraries ${available.reason}`, () => {
  let doubles: ClientDoubles
  let gateway: GatewayKit
  let sandbox: DockerSandbox
  let bundler: ClientBundler | undefined
  let lacking = ''

  beforeAll(async () => {
    bundler = installClients((reason) => {
      lacking = reason
    })
    doubles = await startClientDoubles()
    gateway = await createGatewayKit({
      resolve: async () => [PUBLIC_ADDRESS],
      isPublic: (address) => address === PUBLIC_ADDRESS,
      tls: { ca: doubles.ca },
      portOf: () => doubles.port,
    })
    const docker = new Docker()
    const python = await buildPythonWithPackages(docker)
    sandbox = new DockerSandbox({
      docker,
      instanceId: `clients-${process.pid}`,
      poolSize: 0,
      endpoints: gateway.gateway,
      tagOf: (runtime) => (runtime.name === 'python' ? python : imageTag(runtime)),
    })
  }, INSTALL_MS)
  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]()
    await gateway?.[Symbol.asyncDispose]()
    await doubles?.[Symbol.asyncDispose]()
    await bundler?.[Symbol.asyncDispose]()
  })

  async function use(runtime: string, code: string, { host, raw, dynamicCode }: ClientProgram) {
    const secrets = raw ? {} : { TOKEN: { value: TOKEN, hosts: [host] } }
    const { session, policy } = await gateway.run([host], secrets)
    const before = doubles.seen.length
    const run = await runIn(sandbox, code, {
      runtime,
      network: [host],
      egress: session,
      secrets: { TOKEN: raw ? TOKEN : placeholderOf(policy, 'TOKEN') },
      ...(dynamicCode ? { dynamicCode } : {}),
    })
    return { run, summary: session.end(), seen: doubles.seen.slice(before) }
  }

  function expectGood(
    { run, summary, seen }: Awaited<ReturnType<typeof use>>,
    { host, said }: ClientProgram,
  ) {
    expect(summary.refused).toEqual([])
    expect(run).toMatchObject({ stdout: `${said}\n`, stderr: '', exitCode: 0 })
    expect(seen.length).toBeGreaterThan(0)
    for (const one of seen) expect(one).toMatch(new RegExp(`^${host} \\S+ \\S+$`))
  }

  describe.each(['node', 'deno'])('in %s', (runtime) => {
    it.each(Object.entries(JAVASCRIPT_CLIENTS))('%s works as it is', async (_name, program) => {
      expect(lacking).toBe('')
      const code = (await bundler?.bundle(program.code)) ?? ''
      expectGood(await use(runtime, code, program), program)
    })

    it('says why mail does not go out: no greeting comes, for it is not HTTP', async () => {
      const host = 'mail.demo.test:587'
      const code = await bundler?.bundle(`import { createTransport } from 'nodemailer'
        const auth = { user: 'demo', pass: process.env.TOKEN }
        const mail = createTransport({ host: 'mail.demo.test', port: 587, auth })
        await mail.sendMail({ from: 'a@b.test', to: 'a@b.test', text: 'hi' }).catch(({ message }) => console.log(message))`)
      const { run, summary, seen } = await use(runtime, code ?? '', { host, raw: true, code: '', said: '' })
      expect(run.stdout).toContain('403 not_http: ')
      expect(seen).toEqual([])
      expect(summary.refused).toEqual([{ rule: 'not_http', origin: `http://${host}`, secrets: [], count: 1 }])
    })

    it('reads why a name is refused that was not approved', async () => {
      const code = `import { lookup } from 'node:dns/promises'
        console.log(await lookup('api.evil.test').then(() => 'found', ({ code }) => code))`
      const { run, summary, seen } = await use(runtime, code, JAVASCRIPT_CLIENTS.ws as ClientProgram)
      expect(run.stdout).toBe('ENOTFOUND\n')
      expect(seen).toEqual([])
      expect(summary.refused).toEqual([
        { rule: 'host_not_approved', origin: 'https://api.evil.test', secrets: [], count: 1 },
      ])
    })
  })

  describe('in python', () => {
    it.each(Object.entries(PYTHON_CLIENTS))('%s works as it is', async (_name, program) => {
      expectGood(await use('python', program.code, program), program)
    })
  })
})
