import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdminClient } from '../../src/cli/admin-client.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { type CliRun, runCliHere, runCliProcess } from '../support/run-cli.ts'

let kit: AdminKit
const NOON = new Date('2026-11-20T12:00:00').getTime()
let now = NOON
const oauth3 = (...args: string[]): Promise<CliRun> =>
  runCliProcess(['audit', 'list', ...args], { env: { OAUTH3_SOCKET: kit.socketPath, COLUMNS: '200' } })
const rows = async (...args: string[]) => {
  const run = await oauth3(...args, '--json')
  expect(run).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(run.stdout).rows as {
    event: string
    who: string
    agent: string | null
    request_id: string | null
    data: { name?: string }
  }[]
}

beforeAll(async () => {
  kit = await startAdminKit({ clock: { now: () => now } })
  await kit.storage.transaction((tx) =>
    kit.vault.put(tx, 'SEARCHED_KEY', new SecretValue('demo-value-searched'), {
      hosts: ['api.example.com'],
      actor: 'cli:0',
    }),
  )
  await kit.ask({ secrets: [{ name: 'SEARCHED_KEY' }], network: ['api.example.com'] })
  now += 24 * 3_600_000
  await kit.agents.add({ name: 'other' }, 'cli:0')
})
afterAll(() => kit?.[Symbol.asyncDispose]())

test('finds events by agent, secret, host, event and day, and names agents', async () => {
  const received = { event: 'request.received', who: `agent:${kit.agent.name}`, agent: kit.agent.name }
  for (const filter of [
    ['--secret', 'SEARCHED_KEY'],
    ['--host', 'api.example.com'],
    ['--agent', kit.agent.name],
    ['--agent', kit.agent.id],
    ['--event', 'request'],
    ['--since', '2026-11-20T12:00', '--until', '2026-11-20'],
  ])
    expect(await rows(...filter), filter.join(' ')).toContainEqual(expect.objectContaining(received))
  for (const filter of [
    ['--secret', 'SEARCHED'],
    ['--host', 'example.com'],
    ['--agent', 'other'],
    ['--event', 'egress'],
    ['--since', '2026-11-21'],
    ['--until', '2026-11-19'],
  ])
    expect(await rows(...filter), filter.join(' ')).not.toContainEqual(expect.objectContaining(received))
  expect(await rows('--since', '2026-11-21')).toMatchObject([
    { event: 'agent.added', data: { name: 'other' } },
  ])
})

test('finds all of one request, by the beginning of its id', async () => {
  const [received] = await rows('--event', 'request.received')
  const id = received?.request_id ?? ''
  const found = await rows('--request', id.slice(0, 12))
  expect(found).toContainEqual(expect.objectContaining({ event: 'request.received' }))
  expect(new Set(found.map(({ request_id }) => request_id))).toEqual(new Set([id]))
  expect((await oauth3('--request', 'req_none')).code).toBe(4)
})

test('shows names and, where it is not today, the date', async () => {
  const { stdout } = await oauth3('--event', 'request.received')
  expect(stdout).toMatch(
    new RegExp(`11-20 12:00:00 +request\\.received +agent:${kit.agent.name} +${kit.agent.name} `),
  )
  expect(stdout).not.toContain(kit.agent.id)
  expect((await oauth3('--until', '2026-11-19')).stdout).toBe('No event fits.\n')
})

test('says of a filter that can fit nothing that it cannot', async () => {
  expect(await oauth3('--agent', 'nobody')).toMatchObject({ code: 4 })
  expect((await oauth3('--event', 'egres')).stderr).toContain('There is no event "egres"')
  expect((await oauth3('--since', 'yesterday')).code).toBe(2)
  expect((await oauth3('--since', '2026-13-45')).code).toBe(2)
})

test.each([
  [200, '{"agents": [], "has_default_wake": false, "of_tomorrow": 1}', 0, ''],
  [200, '{"agents": {}}', 1, 'is it of the same version as this command?'],
  [200, '<html></html>', 1, 'is it of the same version as this command?'],
  [404, '{"message": "page not found"}', 1, 'is it of the same version as this command?'],
  [404, '{"error": {"code": "of_tomorrow", "message": "It is Sunday."}}', 1, 'oauth3: It is Sunday.'],
])(
  'a daemon of another version, which answers %i %s, is read as far as can be',
  async (status, body, code, says) => {
    const socket = `${kit.folder}/other.sock`
    await using daemon = createServer((_, response) => response.writeHead(status).end(body)).listen(socket)
    await once(daemon, 'listening')
    const run = await runCliHere(['agent', 'list'], { env: { OAUTH3_SOCKET: socket } })
    expect(run).toMatchObject({ code, stderr: expect.stringContaining(says) })
    expect(run.stdout).toBe(code === 0 ? 'No agents yet; add one with: oauth3 agent add NAME\n' : '')
  },
)

test('an answer that breaks off is told in words', async () => {
  const socket = `${kit.folder}/breaks.sock`
  await using daemon = createServer((_, response) => {
    response.write('\n', () => response.destroy())
  }).listen(socket)
  await once(daemon, 'listening')
  const client = createAdminClient(socket)
  const read = Array.fromAsync(client.lines('exportAudit'))
  await expect(read).rejects.toThrow('The daemon closed the connection without a whole answer.')
})
