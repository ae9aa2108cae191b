import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { type CliRun, runCliHere } from '../support/run-cli.ts'

const DAY = 24 * 3_600_000
let kit: AdminKit
let now = Date.now()
beforeAll(async () => {
  kit = await startAdminKit({ clock: { now: () => now } })
})
afterAll(() => kit[Symbol.asyncDispose]())
const oauth3 = (...args: string[]): Promise<CliRun> =>
  runCliHere(args, { env: { OAUTH3_SOCKET: kit.socketPath } })
const json = async (...args: string[]) => JSON.parse((await oauth3('--json', ...args)).stdout)

test('a yes takes a number of uses, a date, or both, and tells how much of it is used for what', async () => {
  const { requestId } = await kit.ask()
  const until = new Date(now + DAY).toISOString()
  expect(await oauth3('approve', requestId, '--uses', '3', '--until', until, '--wait')).toMatchObject({
    code: 0,
  })
  const covered = await kit.ask()
  await kit.finished(covered.requestId)
  const [grant] = (await json('grants')).grants
  expect(grant).toMatchObject({
    ...{ level: 'limited', uses: 2, max_uses: 3, uses_left: 1, expires_at: now + DAY },
    request_id: requestId,
  })
  expect((await oauth3('grants')).stdout).toContain('2 of 3')
  expect((await oauth3('trust', 'list')).stdout).toContain('limited')
  const shown = await json('grants', 'show', String(grant.id))
  expect(shown.runs.map((run: { request_id: string }) => run.request_id)).toEqual([covered.requestId])
  await oauth3('trust', 'revoke', String(grant.id))
  expect((await kit.ask()).status).toBe('pending')
  expect((await json('grants')).grants).toEqual([])
  expect((await json('grants', '--all')).grants[0]).toMatchObject({ id: grant.id, ended_why: 'revoked' })
  expect((await oauth3('grants', 'show', '999')).code).toBe(4)
})

test('a provider is given until a date, and nothing but a date to come', async () => {
  const asked = await kit.access.ask({
    ...{ agentId: kit.agent.id, provider: 'openai', model: 'gpt-5', group: 'inference' },
    path: '/v1/chat/completions',
  })
  const until = new Date(now + 2 * DAY).toISOString()
  expect((await oauth3('approve', asked.id, '--uses', '3')).code).not.toBe(0)
  expect((await oauth3('approve', asked.id, '--until', new Date(now - 1).toISOString())).stderr).toContain(
    'over already',
  )
  expect((await kit.access.find(asked.id))?.status).toBe('pending')
  expect((await oauth3('approve', asked.id, '--until', until, '--usd-per-day', '2')).code).toBe(0)
  const [grant] = kit.access.grants()
  expect(grant?.expiresAt).toBe(now + 2 * DAY)
  expect(grant?.limits.microUsdPerDay).toBe(2_000_000)
})

test.each([
  [['--uses', '0'], 'whole number from 1'],
  [['--uses', '-1'], 'whole number from 1'],
  [['--until', 'tomorrow'], 'a time like'],
  [['--until', '2026-02-31'], 'a time like'],
  [['--until', '2020-01-01'], 'over already'],
  [['--until', '2099-01-01'], 'at most ten years'],
  [['--24h', '--uses', '3'], 'exactly one of'],
  [['--once', '--until', '2027-01-01'], 'exactly one of'],
])('%j is refused with a reason, and nothing is decided', async (options, reason) => {
  const { requestId } = await kit.ask({ skillId: 'refused' })
  const run = await oauth3('approve', requestId, ...options)
  expect([run.code === 0, run.stderr]).toEqual([false, expect.stringContaining(reason)])
  expect((await json('show', requestId)).state).toBe('pending')
})

test('what expired is asked once more, once, and both name each other', async () => {
  const { requestId } = await kit.ask({ skillId: 'nobody' })
  expect((await oauth3('requests', 'again', requestId)).stderr).toContain('Only what nobody answered')
  now += DAY
  expect((await oauth3('approve', requestId, '--once')).code).toBe(5)
  expect((await oauth3('show', requestId)).stdout).toContain('oauth3 requests again')
  const again = await json('requests', 'again', requestId)
  expect(again).toMatchObject({ state: 'pending', again_of: requestId, can_ask_again: false })
  expect(await json('show', requestId)).toMatchObject({ state: 'expired', superseded_by: again.id })
  expect((await oauth3('requests', 'again', requestId)).code).toBe(5)
  expect((await json('requests')).approvals.map(({ id }: { id: string }) => id)).toContain(again.id)
})
