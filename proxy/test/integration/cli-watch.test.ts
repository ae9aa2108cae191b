import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { patience } from '../support/pace.ts'
import { rawControls } from '../support/raw-controls.ts'
import { type CliRun, runCliHere, runCliProcess } from '../support/run-cli.ts'

let kit: AdminKit
beforeAll(async () => {
  kit = await startAdminKit({ stdout: 'ran\n' })
})
afterAll(() => kit[Symbol.asyncDispose]())

const oauth3 = (args: readonly string[]): Promise<CliRun> =>
  runCliProcess(args, { env: { OAUTH3_SOCKET: kit.socketPath } })

/** A person at a terminal, who answers prompt after prompt. */
const watch = (types: (prompt: string) => string | null | Promise<string | null>): Promise<CliRun> =>
  runCliHere(['watch'], { env: { OAUTH3_SOCKET: kit.socketPath }, isTerminal: true, types })

describe('watch, on a terminal', () => {
  test('lists what waits, shows the card of a number with its code, and takes the answer', async () => {
    const { requestId } = await kit.ask({ skillId: 'watched/once', code: 'console.log("the whole code")\n' })
    const answers = ['1', 'o', 'q']
    const run = await watch(() => answers.shift() ?? null)
    expect(run.code).toBe(0)
    expect(run.stderr).toContain('watched/once')
    expect(run.stderr).toContain('console.log("the whole code")')
    expect(run.stderr).toContain('Run watched/once with no secret, no network?')
    expect(await kit.finished(requestId)).toMatchObject({ status: 'success', decision: 'once' })
    expect(rawControls(run.stderr + run.stdout)).toEqual([])
  })

  test('denies with a reason, which the agent and the audit have', async () => {
    const { requestId } = await kit.ask({ skillId: 'watched/denied' })
    const answers = ['1', 'd', 'use the staging account', 'q']
    await watch(() => answers.shift() ?? null)
    expect(await kit.finished(requestId)).toMatchObject({
      status: 'denied',
      denyReason: 'use the staging account',
    })
  })

  test('shows what comes while it asks, below the question, and nothing that was decided elsewhere', async () => {
    let asked: string | undefined
    const run = await watch(async (shown) => {
      if (asked === undefined) {
        asked = (await kit.ask({ skillId: 'watched/late' })).requestId
        return null
      }
      if (!shown.includes('watched/late')) return null
      await runCliProcess(['deny', asked], { env: { OAUTH3_SOCKET: kit.socketPath } })
      return shown.lastIndexOf('Nothing waits') > shown.lastIndexOf('watched/late') ? 'q' : null
    })
    expect(run.code).toBe(0)
    expect(run.stderr.match(/Nothing waits for you/g)?.length).toBeGreaterThanOrEqual(2)
  })

  test('keeps one line for each thing that waits in 40 columns', async () => {
    const { requestId } = await kit.ask({ skillId: 'watched/a-name-that-is-longer-than-the-line' })
    const run = await runCliHere(['watch'], {
      env: { OAUTH3_SOCKET: kit.socketPath, COLUMNS: '40' },
      isTerminal: true,
      types: () => 'q',
    })
    const lines = run.stderr.split('\n')
    expect(lines.filter((line) => line.includes('watched/'))).toHaveLength(1)
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40)
    await oauth3(['deny', requestId])
  })

  test('an answer that is none leaves it waiting', async () => {
    const later = await kit.ask({ skillId: 'watched/later' })
    const answers = ['1', 'what?', '9', 'q']
    const run = await watch(() => answers.shift() ?? null)
    expect(run.stderr).toContain('There is no such number.')
    expect((await kit.executions.resolve(later.requestId)).status).toBe('pending')
  })
})

describe('a script', () => {
  test('waits for what comes of what it approves, and fails where that fails', async () => {
    const good = await kit.ask({ skillId: 'waited/good' })
    const run = await oauth3(['approve', good.requestId, '--once', '--wait'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain('success')
    expect(run.stdout).toContain('ran')
    const missing = await kit.ask({ skillId: 'waited/missing', secrets: [{ name: 'NOT_THERE_YET' }] })
    const waiting = oauth3(['approve', missing.requestId, '--once', '--wait'])
    await expect
      .poll(async () => (await kit.executions.resolve(missing.requestId)).status, {
        timeout: patience(20_000),
      })
      .toBe('awaiting_secrets')
    await oauth3(['deny', missing.requestId])
    const ended = await waiting
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('oauth3 secret add NOT_THERE_YET')
    expect(ended.stderr).toContain('is denied')
  })

  test('is told whether anything can still come of a request', async () => {
    const { requestId } = await kit.ask({ skillId: 'ended/or-not' })
    const shown = async (): Promise<boolean> =>
      JSON.parse((await oauth3(['show', requestId, '--json'])).stdout).ended
    expect(await shown()).toBe(false)
    await oauth3(['deny', requestId])
    expect(await shown()).toBe(true)
  })

  test.each([
    ['an empty reason', ['--reason', '  ']],
    ['a long reason', ['--reason', 'x'.repeat(501)]],
  ])('cannot deny with %s', async (_name, options) => {
    const { requestId } = await kit.ask({ skillId: 'reason/bad' })
    expect((await oauth3(['deny', requestId, ...options])).code).toBe(2)
    expect((await kit.executions.resolve(requestId)).status).toBe('pending')
  })

  test('denies with a reason on one visible line, which show repeats', async () => {
    const { requestId } = await kit.ask({ skillId: 'reason/good' })
    expect((await oauth3(['deny', requestId, '--reason', 'not\nwith \u202ethis key'])).code).toBe(0)
    const { denyReason } = await kit.executions.resolve(requestId)
    expect(denyReason).toBe('not with ⟨U+202E⟩this key')
    expect((await oauth3(['show', requestId])).stdout).toContain('not with ⟨U+202E⟩this key')
  })
})

test('watch waits for a daemon that is still starting, and goes on when it answers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-watch-'))
  const socketPath = join(folder, 'admin.sock')
  let left = 2
  const front = createServer((_request, response) => {
    const isStarting = left-- > 0
    const error = { code: 'starting', message: 'The daemon is starting; ask again in a moment.' }
    response
      .writeHead(isStarting ? 503 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(isStarting ? { error } : { approvals: [] }))
  }).listen(socketPath)
  try {
    await once(front, 'listening')
    const run = await runCliHere(['watch'], {
      ...{ env: { OAUTH3_SOCKET: socketPath }, isTerminal: true },
      types: () => 'q',
    })
    expect(run).toMatchObject({ code: 0 })
    expect(run.stderr.match(/The daemon is starting/g)).toHaveLength(1)
    expect(run.stderr).toContain('Nothing waits for you.')
  } finally {
    front.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A daemon that lists nothing, on a socket that it can break off. */
async function listing(
  answer: (request: number, response: ServerResponse, url: string) => boolean,
): Promise<{ readonly socketPath: string } & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-watch-'))
  const socketPath = join(folder, 'admin.sock')
  let requests = 0
  const server = createServer((request, response) => {
    if (answer(requests++, response, request.url ?? '')) return
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ approvals: [] }))
  }).listen(socketPath)
  await once(server, 'listening')
  return {
    socketPath,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

test.each([
  ['before its answer', (response: ServerResponse) => void response.socket?.destroy()],
  [
    'in the middle of its answer',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' })
      response.write('{"approvals":[', () => response.socket?.destroy())
    },
  ],
])('watch goes on after a daemon that is gone %s, and says both', async (_when, breakOff) => {
  using daemon = await listing((request, response) => {
    if (request > 0) return false
    breakOff(response)
    return true
  })
  const run = await runCliHere(['watch'], {
    ...{ env: { OAUTH3_SOCKET: daemon.socketPath }, isTerminal: true },
    types: () => 'q',
  })
  expect(run).toMatchObject({ code: 0 })
  expect(
    run.stderr.match(
      /The connection to the daemon broke off; watching for it to come back; \^C ends this\./g,
    ),
  ).toHaveLength(1)
  expect(run.stderr).toMatch(/The daemon answers again\.\n/)
})

test('watch asks for all that waits by one list', async () => {
  const asked: string[] = []
  using daemon = await listing((_request, _response, url) => {
    asked.push(url)
    return false
  })
  const run = await runCliHere(['watch'], {
    ...{ env: { OAUTH3_SOCKET: daemon.socketPath }, isTerminal: true },
    types: () => 'q',
  })
  expect(run).toMatchObject({ code: 0 })
  expect(new Set(asked)).toEqual(new Set(['/v1/approvals']))
})
