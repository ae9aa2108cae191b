import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { VERSION } from '../../src/version.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { patience } from '../support/pace.ts'
import { giveImage, type PrivateEngine, startPrivateEngine } from '../support/private-engine.ts'

const docker = await dockerOrSkip()
const canRun =
  docker.available && process.getuid?.() === 0 && spawnSync('dockerd', ['--version']).status === 0
const why = canRun ? '' : ` (skipped: ${docker.reason || 'needs root and dockerd for an engine of its own'})`

describe.skipIf(!canRun)(`a Docker engine that stops and starts${why}`, () => {
  let engine: PrivateEngine
  let kit: DaemonKit

  beforeAll(async () => {
    engine = await startPrivateEngine()
    await giveImage(engine.docker, `oauth3-sandbox-deno:${VERSION}`)
    kit = await createDaemonKit({
      sandbox: (instanceId, endpoints) =>
        createSandbox({ kind: 'docker', poolSize: 1, instanceId, endpoints, docker: engine.docker }),
    })
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
  })

  const ask = (code: string, timeout = 30) =>
    kit.post({ skill_id: 'demo/engine', code, secrets: [], metadata: { timeout } })
  const approve = async (requestId: string, decision = 'once') => {
    const view = await kit.admin('GET', `/v1/requests/${requestId}`)
    return await kit.admin('POST', `/v1/requests/${requestId}/decision`, {
      decision,
      consent_hash: view.body.consent_hash,
    })
  }
  const until = async <T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> => {
    for (const end = Date.now() + patience(40_000); Date.now() < end; ) {
      const found = await look()
      if (found) return found
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error(`not within 40 s: ${what}`)
  }

  it(
    'keeps what was approved while the engine was away, and runs it when the engine is back',
    async () => {
      const asked = await ask(`console.log('after the outage')`)
      expect(asked.status).toBe(202)
      await engine.stop()
      await until(
        async () => (await kit.get('/health')).body.sandbox === 'unavailable',
        'health says unavailable',
      )
      const refused = await ask(`console.log('new')`)
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'sandbox_unavailable' } } })
      expect((await approve(asked.body.request_id)).status).toBe(200)
      expect((await kit.get(`/execute/${asked.body.request_id}?wait=3`)).body.status).toMatch(
        /approved|running/,
      )
      await engine.start()
      const done = await kit.get(`/execute/${asked.body.request_id}?wait=60`)
      expect(done.body).toMatchObject({ status: 'success', stdout: 'after the outage\n' })
      expect(
        (await kit.get('/execute?status=pending')).body.executions,
        'the refused one left no row',
      ).toEqual([])
    },
    patience(120_000),
  )

  it(
    'ends a run whose engine died in the middle as failed, and does not repeat it',
    async () => {
      // Only what was handed to a sandbox is lost with it; without a warm one it would still be waiting.
      await until(
        async () => /^oauth3_sandbox_warm 1$/m.test(await (await fetch(`${kit.daemon.url}/metrics`)).text()),
        'a sandbox is warm',
      )
      const asked = await ask(
        `console.log('begun')\nawait new Promise((resolve) => setTimeout(resolve, 20_000))`,
      )
      await approve(asked.body.request_id)
      await until(
        async () => (await kit.get(`/execute/${asked.body.request_id}`)).body.status === 'running',
        'the run is under way',
      )
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      await engine.stop()
      const done = await kit.get(`/execute/${asked.body.request_id}?wait=30`)
      expect(done.body).toMatchObject({ status: 'failed', error: { code: 'sandbox_lost' } })
      await engine.start()
      await until(
        async () => (await kit.get('/health')).body.sandbox === 'docker',
        'health says docker again',
      )
      expect((await kit.get(`/execute/${asked.body.request_id}`)).body.status).toBe('failed')
      const rows = (await kit.admin('GET', '/v1/audit?limit=200')).body.rows as {
        event: string
        request_id: string
      }[]
      expect(
        rows.filter(
          ({ event, request_id }) => event === 'execution.started' && request_id === asked.body.request_id,
        ),
      ).toHaveLength(1)
    },
    patience(120_000),
  )
})
