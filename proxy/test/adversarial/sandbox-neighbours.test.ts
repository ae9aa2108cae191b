import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { VERSION } from '../../src/version.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, type TestEndpoints } from '../support/egress-endpoints.ts'
import { runIn } from '../support/sandbox-run.ts'

const docker = await dockerOrSkip()

/** Another container of the same engine, with a server that answers whoever reaches it. */
describe.skipIf(!docker.available)(`a neighbouring container ${docker.reason}`, () => {
  let neighbour: StartedTestContainer
  let sandbox: Sandbox
  let endpoints: TestEndpoints

  beforeAll(async () => {
    process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
    neighbour = await new GenericContainer(`oauth3-sandbox-deno:${VERSION}`)
      .withEntrypoint(['/bin/deno'])
      .withCommand(['eval', 'Deno.serve({ port: 8000 }, () => new Response("neighbour"))'])
      .withUser('65532')
      .withExposedPorts(8000)
      .withWaitStrategy(Wait.forLogMessage(/Listening/))
      .start()
    endpoints = await createTestEndpoints()
    sandbox = await createSandbox({ kind: 'docker', poolSize: 0, instanceId: 'neighbours-test', endpoints })
  })
  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]()
    await endpoints?.[Symbol.asyncDispose]()
    await neighbour?.stop()
  })

  it('answers the host, so that the refusals below are the walls and not a dead server', async () => {
    const answer = await fetch(`http://127.0.0.1:${neighbour.getMappedPort(8000)}/`)
    expect(await answer.text()).toBe('neighbour')
  })

  it('cannot be reached from a run without network, by address, name or raw socket', async () => {
    const [address] = neighbour.getNetworkNames().map((name) => neighbour.getIpAddress(name))
    const ended = await runIn(
      sandbox,
      `
        const tries = {
          fetch: () => fetch('http://${address}:8000/').then((answer) => { if (!answer.ok) throw new Error(answer.status) }),
          connect: () => Deno.connect({ hostname: '${address}', port: 8000 }),
          name: () => Deno.resolveDns('${neighbour.getName().replace('/', '')}', 'A'),
          published: () => fetch('http://172.17.0.1:${neighbour.getMappedPort(8000)}/').then((answer) => { if (!answer.ok) throw new Error(answer.status) }),
        }
        for (const [name, attempt] of Object.entries(tries)) {
          console.log(name, await attempt().then(() => 'REACHED', (error) => error.name))
        }`,
    )
    expect(ended.stdout).not.toContain('REACHED')
    expect(ended.stdout.trim().split('\n')).toHaveLength(4)
  })
})
