import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectAdmin } from '../../src/cli/index.ts'
import { type Daemon, startDaemon } from '../../src/compose/daemon.ts'
import { readConfig } from '../../src/config/index.ts'

let folder: string
let daemon: Daemon
let token: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-socket-'))
  daemon = await startDaemon(
    readConfig({
      PORT: '0',
      DB_PATH: join(folder, 'state', 'proxy.db'),
      OAUTH3_SANDBOX: 'embedded',
      LOG_LEVEL: 'silent',
    }),
    { drainMs: 500 },
  )
  const admin = await connectAdmin(daemon.adminSocketPath)
  token = (await admin.call('addAgent', { body: { name: 'clawd' } })).token
})
afterAll(async () => {
  await daemon.stop()
  rmSync(folder, { recursive: true, force: true })
})

const submit = async (): Promise<string> => {
  const response = await fetch(`${daemon.url}/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ skill_id: 'self/approval', code: `console.log(${Math.random()})` }),
  })
  return ((await response.json()) as { request_id: string }).request_id
}

/** Straight to the socket, with headers of the attacker's choice. */
function onSocket(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: daemon.adminSocketPath, method, path, headers, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    call.on('error', reject).end(body)
  })
}

test("the socket and its folder are the owner's alone", () => {
  const socket = statSync(daemon.adminSocketPath)
  expect(socket.isSocket()).toBe(true)
  expect(socket.mode & 0o777).toBe(0o600)
  expect(statSync(dirname(daemon.adminSocketPath)).mode & 0o777).toBe(0o700)
  expect(socket.uid).toBe(process.getuid?.())
})

test('the address that agents reach has no admin route under any name, with any Host header', async () => {
  const requestId = await submit()
  const view = await (await connectAdmin(daemon.adminSocketPath)).call('readRequest', {
    params: { id: requestId },
  })
  const decision = JSON.stringify({ decision: 'once', consent_hash: view.consent_hash })
  const routes: [string, string, string?][] = [
    ['GET', '/v1/secrets'],
    ['PUT', '/v1/secrets/STOLEN_KEY', '{"value":"demo-value"}'],
    ['GET', '/v1/agents'],
    ['POST', '/v1/agents', '{"name":"second"}'],
    ['GET', '/v1/requests'],
    ['POST', `/v1/requests/${requestId}/decision`, decision],
    ['POST', `/execute/${requestId}/decision`, decision],
    ['POST', `/execute/${requestId}/approve`, decision],
    ['POST', `/%76%31/requests/${requestId}/decision`, decision],
    ['POST', `//v1/requests/${requestId}/decision`, decision],
    ['GET', '/v1/audit/export'],
    ['POST', '/v1/keys/rotate', '{"what":"data"}'],
  ]
  const { hostname, port } = new URL(daemon.url)
  for (const host of ['oauth3', 'localhost', 'evil.example', `${hostname}:${port}`]) {
    for (const [method, path, body] of routes) {
      const status = await new Promise<number>((resolve, reject) => {
        request(
          {
            hostname,
            port,
            method,
            path,
            agent: false,
            headers: {
              host,
              authorization: `Bearer ${token}`,
              'content-type': 'application/json',
              'x-http-method-override': method,
            },
          },
          (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)),
        )
          .on('error', reject)
          .end(body)
      })
      expect([404, 405], `${method} ${path} with Host ${host}`).toContain(status)
    }
  }
  const after = await (await connectAdmin(daemon.adminSocketPath)).call('readRequest', {
    params: { id: requestId },
  })
  expect(after.status).toBe('pending')
})

test("an agent's token is nothing on the socket: it neither opens nor adds anything, and answers stay the owner's", async () => {
  const requestId = await submit()
  const headers = {
    authorization: `Bearer ${token}`,
    host: 'evil.example',
    'content-type': 'application/json',
  }
  expect((await onSocket('GET', '/execute', headers)).status).toBe(404)
  expect((await onSocket('POST', '/execute', headers, '{}')).status).toBe(404)
  const forged = await onSocket(
    'POST',
    `/v1/requests/${requestId}/decision`,
    headers,
    JSON.stringify({ decision: 'once', consent_hash: 'f'.repeat(64) }),
  )
  expect(forged.status).toBe(409)
  const admin = await connectAdmin(daemon.adminSocketPath)
  expect((await admin.call('readRequest', { params: { id: requestId } })).status).toBe('pending')
  const { rows } = await admin.call('searchAudit', { query: { limit: 5 } })
  expect(rows.find((row) => row.event === 'approval.refused')).toMatchObject({
    request_id: requestId,
    actor: `cli:${process.getuid?.()}`,
  })
})

test('malformed bodies get the one error shape and change nothing', async () => {
  const headers = { 'content-type': 'application/json' }
  const cases: [string, string, string, number][] = [
    ['PUT', '/v1/secrets/A_KEY', '{"value":', 400],
    ['PUT', '/v1/secrets/A_KEY', '{"value":5}', 400],
    ['PUT', '/v1/secrets/A_KEY', '{"value":"demo-value","more":1}', 400],
    ['PUT', '/v1/secrets/A_KEY', JSON.stringify({ value: 'x'.repeat(70_000) }), 413],
    ['PUT', '/v1/secrets/A_KEY', JSON.stringify({ value: 'x'.repeat(600_000) }), 413],
    ['PUT', '/v1/secrets/..%2F..%2Fetc', '{"value":"demo-value"}', 400],
    ['PUT', '/v1/secrets/%E0%A4%A', '{"value":"demo-value"}', 400],
    ['POST', '/v1/agents', '{"name":"x","cidrs":"all"}', 400],
    ['POST', '/v1/requests/req_1/decision', '{"decision":"always","consent_hash":"0"}', 400],
    ['DELETE', '/v1/trust/1e3', '', 400],
    ['GET', '/v1/audit?limit=-1', '', 400],
    ['GET', '/v2/secrets', '', 404],
  ]
  for (const [method, path, body, status] of cases) {
    const answer = await onSocket(method, path, headers, body)
    expect(answer.status, `${method} ${path}`).toBe(status)
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { code: expect.any(String), message: expect.any(String) },
    })
    expect(answer.text).not.toMatch(/demo-value|at .*\.ts/)
  }
  expect((await onSocket('GET', '/v1/secrets', {})).text).toBe('{"secrets":[]}')
})

test('a second daemon on the same database is refused and leaves the first one its socket', async () => {
  const { VERSION } = await import('../../src/version.ts')
  const config = readConfig({
    PORT: '0',
    DB_PATH: join(folder, 'state', 'proxy.db'),
    OAUTH3_SANDBOX: 'embedded',
    LOG_LEVEL: 'silent',
  })
  await expect(startDaemon(config)).rejects.toMatchObject({ code: 'conflict' })
  expect((await onSocket('GET', '/v1/status', {})).text).toContain(VERSION)
})
