import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { searchContainers } from '../../src/demo/container-search.ts'
import { CLAUDE_IMAGE, imageTag } from '../../src/sandbox/runtimes/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { patience } from '../support/pace.ts'
import { runCliProcess } from '../support/run-cli.ts'

/** The demo in a temporary directory of its own, so that what it leaves behind would be seen. */
async function demo(args: readonly string[], env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-demo-test-'))
  try {
    const run = await runCliProcess(['demo', ...args], {
      env: { TMPDIR: folder, OAUTH3_SANDBOX: 'embedded', ...env },
    })
    return { ...run, left: readdirSync(folder).filter((name) => name.startsWith('oauth3-demo')) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('without a terminal the demo answers once itself, shows a placeholder, the key at the API and a refused host, and cleans up', async () => {
  const run = await demo([])
  expect(run).toMatchObject({ code: 0, stderr: '', left: [] })
  expect(run.stdout).toContain('approval needed')
  expect(run.stdout).toContain('nobody is at a terminal')
  expect(run.stdout).toMatch(/I hold {7}oauth3x[0-9a-f]{40}\n/)
  expect(run.stdout).toMatch(/the API says 200 .*Bearer \[secret:DEMO_API_KEY\]/)
  expect(run.stdout).toMatch(/a transfer {3}403 method_not_approved/)
  expect(run.stdout).toMatch(/Sends +GET http:\/\/127\.0\.0\.1:[0-9]+\/charges\n/)
  expect(run.stdout).toMatch(/elsewhere {4}(?:403 host_not_approved|NotCapable)/)
  expect(run.stdout).toContain('✓ the API got the real key')
  expect(run.stdout).not.toContain('demo-value-')
  expect(run.stdout).toContain('202 pending: once was once')
  expect(run.stdout).toMatch(/[0-9]+ rows, all intact/)
  expect(run.stdout).toContain('oauth3 agent add NAME --print env')
  for (const line of run.stdout.split('\n')) expect(columnsOf(line), line).toBeLessThanOrEqual(80)
})

test.each(['24h', 'forever'])(
  '--approve %s lets the same request run again without asking',
  async (answer) => {
    const run = await demo(['--approve', answer])
    expect(run).toMatchObject({ code: 0, left: [] })
    expect(run.stdout.replace(/\s+/g, ' ')).toContain(`trusted (${answer}), nobody was asked`)
  },
)

test('--approve deny shows that the code never ran', async () => {
  const run = await demo(['--approve', 'deny'])
  expect(run).toMatchObject({ code: 0, left: [] })
  expect(run.stdout).toContain('→ denied; the code never ran')
  expect(run.stdout).not.toContain('execution.started')
})

test('without an engine the demo takes the embedded sandbox and says why', async () => {
  const run = await demo([], { OAUTH3_SANDBOX: '', DOCKER_HOST: 'unix:///nonexistent/docker.sock' })
  expect(run.code).toBe(0)
  expect(run.stdout.replace(/\s+/g, ' ')).toContain(
    'embedded Deno process, weaker walls: no Docker engine answers',
  )
})

test('says that Docker was asked for where no engine answers', async () => {
  const run = await demo([], { OAUTH3_SANDBOX: 'docker', DOCKER_HOST: 'unix:///nonexistent/docker.sock' })
  expect(run).toMatchObject({ code: 1, left: [] })
  expect(run.stderr).toMatch(
    /^oauth3: OAUTH3_SANDBOX=docker, but no Docker engine answers \(.+\); leave it out/,
  )
})

test('refuses another answer as wrong usage', async () => {
  expect((await demo(['--approve', 'maybe'])).code).toBe(2)
})

test.each([
  ['host', 'Hosted agents need Docker'],
  ['run', 'Runs of Claude Code need Docker'],
])('of %s says that it needs an engine where none answers', async (what, said) => {
  const run = await demo([what], { DOCKER_HOST: 'unix:///nonexistent/docker.sock' })
  expect(run).toMatchObject({ code: 1, left: [] })
  expect(run.stderr.replace(/\s+/g, ' ')).toContain(said)
})

const { available, reason } = await dockerOrSkip({ images: ['claude'] })

describe.skipIf(!available)(`the search of a demo's containers ${reason}`, () => {
  test(
    'reads all that can be written in its own, and neither touches nor counts another daemon’s',
    async () => {
      const docker = new Docker()
      const image = imageTag(CLAUDE_IMAGE)
      const folder = mkdtempSync(join(tmpdir(), 'oauth3-demo-test-'))
      // Longer than a frame of the engine's stream, and nowhere but in that file.
      const secret = 'x'.repeat(100_000)
      const container = await docker.createContainer({
        ...{ Image: image, User: '65532:65532', Entrypoint: ['sh', '-c'] },
        Cmd: ['head -c 100000 /dev/zero | tr "\\0" x > /state/kept && exec sleep 600'],
        HostConfig: {
          ...{ NetworkMode: 'none', CapDrop: ['ALL'], Tmpfs: { '/state': 'mode=1777' } },
          Binds: [`${folder}:/run/oauth3:ro`],
        },
      })
      try {
        await container.start()
        const searched = () => searchContainers(docker, { image, folder, secret })
        await expect.poll(searched, { timeout: patience(20_000) }).toMatchObject({ found: true })
        expect((await searchContainers(docker, { image, folder, secret: 'nowhere' })).found).toBe(false)
        const other = { image, folder: `${folder}-other`, secret }
        expect(await searchContainers(docker, other)).toEqual({ bytes: 0, found: false })
      } finally {
        await container.remove({ force: true })
        rmSync(folder, { recursive: true, force: true })
      }
    },
    patience(60_000),
  )
})
