import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type AdminClient, connectAdmin } from '../../src/cli/index.ts'
import { startDaemon } from '../../src/compose/daemon.ts'
import { readConfig } from '../../src/config/index.ts'

const SKILL = readFileSync(new URL('../../../docs/openclaw-skill/SKILL.md', import.meta.url), 'utf8')

const VALUE = 'demo-value-for-the-skill'

test('the shipped skill has the front-matter that OpenClaw reads', () => {
  const head = /^---\n([\s\S]*?)\n---\n/.exec(SKILL)?.[1] ?? ''
  expect(head).toMatch(/^name: oauth3$/m)
  expect(head).toMatch(/^description: .{40,}$/m)
  const metadata = JSON.parse(/^metadata: (.*)$/m.exec(head)?.[1] ?? '') as { openclaw: unknown }
  expect(metadata.openclaw).toEqual({
    requires: { bins: ['curl'], env: ['OAUTH3_URL', 'OAUTH3_TOKEN'] },
    primaryEnv: 'OAUTH3_TOKEN',
  })
})

test('every example of the shipped skill runs as printed, with its host played here, from the request to its acknowledgement', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-skill-'))
  try {
    await using daemon = await startDaemon(
      readConfig({
        PORT: '0',
        DB_PATH: join(folder, 'proxy.db'),
        OAUTH3_SANDBOX: 'embedded',
        LOG_LEVEL: 'silent',
      }),
      { drainMs: 500 },
    )
    const admin = await connectAdmin(daemon.adminSocketPath)
    await using api = await startPlayedApi(VALUE)
    await admin.call('putSecret', { params: { name: 'GITHUB_TOKEN' }, body: { value: VALUE } })
    const { token } = await admin.call('addAgent', { body: { name: 'reader' } })

    const blocks = [...SKILL.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
    expect(blocks.length).toBeGreaterThanOrEqual(4)
    const printed = blocks.join('\necho\necho ---\n')
    const commands = printed
      .replaceAll('https://api.github.com', api.origin)
      .replaceAll('"api.github.com"', `"${api.origin}"`)
    expect(commands).not.toContain('github.com')
    const script = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], {
      cwd: folder,
      env: { PATH: process.env.PATH, OAUTH3_URL: daemon.url, OAUTH3_TOKEN: token },
      timeout: 60_000,
    })
    const [{ stdout }] = await Promise.all([script, approveFirst(admin)])

    const answers = stdout.split('---\n').map((text) => text.trim())
    expect(JSON.parse(answers[0] ?? '')).toMatchObject({ status: 'pending' })
    const result = JSON.parse(answers[1] ?? '') as { status: string; stdout: string }
    expect(result.status).toBe('success')
    expect(JSON.parse(result.stdout)).toEqual({ login: 'octocat' })
    expect(stdout).not.toContain(VALUE)
    expect(JSON.parse(answers[2] ?? '')).toMatchObject({ status: 'success' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Answers whoever sends the real token, as the host of the example does. */
async function startPlayedApi(token: string): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer((request, response) => {
    const isRight = request.headers.authorization === `Bearer ${token}` && request.url === '/user'
    response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isRight ? { login: 'octocat' } : { message: 'Bad credentials' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function approveFirst(admin: AdminClient): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { requests } = await admin.call('listRequests')
    const first = requests[0]
    if (first) {
      const body = { decision: 'once', consent_hash: first.consent_hash } as const
      await admin.call('decideRequest', { params: { id: first.request_id }, body })
      return
    }
    await sleep(50)
  }
  throw new Error('no request arrived')
}
