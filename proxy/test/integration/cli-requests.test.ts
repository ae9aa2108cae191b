import { describe, expect, test } from 'vitest'
import type { RequestId } from '../../src/kernel/index.ts'
import { json, useCli } from '../support/cli-commands-kit.ts'
import { ENDLESS } from '../support/domain-kit.ts'
import { rawControls } from '../support/raw-controls.ts'

const world = useCli()
const { oauth3 } = world

describe('requests', () => {
  test('shows the card with the whole code, approves once by a short id, and shows the outcome without control characters', async () => {
    const { requestId } = await world.kit.ask({ code: 'console.log("whole code")\n', skillId: 'show/me' })
    expect((await oauth3(['pending'])).stdout).toContain('show/me')
    const shown = await oauth3(['show', requestId.slice(4, 16)])
    expect(shown.stdout).toContain('console.log("whole code")')
    expect(shown.stdout).toContain(`approve ${requestId.slice(0, 16)}`)

    const approved = await oauth3(['approve', requestId.slice(0, 16), '--once'])
    expect(approved.code).toBe(0)
    expect(approved.stdout).toContain('approved (once); it will run now.')
    expect(approved.stdout).toContain(
      `consent ${(await world.kit.executions.resolve(requestId)).consentHash}`,
    )
    expect(await world.kit.finished(requestId)).toMatchObject({
      status: 'success',
      decision: 'once',
      decidedBy: `cli:${process.getuid?.()}`,
    })

    const after = await oauth3(['show', requestId])
    expect(shown.stdout).toContain('1 line, 26 bytes')
    expect(shown.stdout).toMatch(/^ {2}Expires /m)
    expect(after.stdout).not.toMatch(/^ {2}Expires /m)
    expect(after.stdout).toContain('⟨U+001B⟩[31mred')
    expect(rawControls(after.stdout)).toEqual([])
    const raw = await oauth3(['show', requestId, '--json'])
    expect(rawControls(raw.stdout)).toEqual([])
    expect(JSON.parse(raw.stdout).result.stdout).toBe('plain \u001b[31mred\u001b[0m \u202edone\n')
    expect(await oauth3(['approve', requestId, '--once'])).toMatchObject({ code: 5, stdout: '' })
  })

  test.each([
    ['--24h', [], 'trust24h'],
    ['--forever', [], 'forever'],
    ['--24h', ['--any-args'], 'trust24h_any'],
    ['--forever', ['--any-args'], 'forever_any'],
  ])('%s %j stores that decision', async (level, more, decision) => {
    const { requestId } = await world.kit.ask({ skillId: `level/${decision}`, argsJson: '{"a":1}' })
    expect((await oauth3(['approve', requestId, level, ...more])).code).toBe(0)
    expect((await world.kit.finished(requestId)).decision).toBe(decision)
    const word = `${level.slice(2)}${more.length > 0 ? ', any args' : ''}`
    expect((await oauth3(['show', requestId])).stdout).toContain(`${word} by `)
    expect(json(await oauth3(['trust', 'list', '--json'])).grants[0]).toMatchObject({
      any_args: more.length > 0,
    })
  })

  test.each([
    [[]],
    [['--once', '--forever']],
    [['--once', '--any-args']],
    [['--forever', '--any-args']],
    [['--often']],
  ])('refuses to approve with %j and decides nothing', async (options) => {
    const { requestId } = await world.kit.ask({ skillId: 'usage/approve' })
    const run = await oauth3(['approve', requestId, ...options])
    expect(run.code).toBe(2)
    expect(run.stderr).toMatch(/^oauth3: .+\n$/)
    expect((await world.kit.executions.resolve(requestId)).status).toBe('pending')
  })

  test('refuses when the consent is not the one that was looked at', async () => {
    const { requestId, consentHash } = await world.kit.ask({ skillId: 'bound/consent' })
    expect((await oauth3(['approve', requestId, '--once', '--consent', 'deadbeef'])).code).toBe(5)
    expect((await world.kit.executions.resolve(requestId)).status).toBe('pending')
    expect((await oauth3(['approve', requestId, '--once', '--consent', consentHash.slice(0, 8)])).code).toBe(
      0,
    )
  })

  test('denies, and says which secret an approved request still waits for', async () => {
    const denied = await world.kit.ask({ skillId: 'to/deny' })
    expect(json(await oauth3(['deny', denied.requestId, '--json']))).toMatchObject({ status: 'denied' })
    const waiting = await world.kit.ask({ skillId: 'to/wait', secrets: [{ name: 'LATE_KEY' }] })
    const run = await oauth3(['approve', waiting.requestId, '--once'])
    expect(run.stdout).toContain('It is approved and waits for LATE_KEY: oauth3 secret add LATE_KEY')
    expect(run.stdout).toContain('oauth3 secret add LATE_KEY')
    await oauth3(['secret', 'add', 'LATE_KEY'], { stdin: 'demo-value-late' })
    expect((await world.kit.finished(waiting.requestId)).status).toBe('success')
  })

  test('stops a run under way, says which grant lets it run again, and refuses what is not there to be stopped', async () => {
    const running = async (skillId: string, level: string): Promise<string> => {
      const { requestId } = await world.kit.ask({ skillId, code: ENDLESS })
      await oauth3(['approve', requestId, level])
      await expect.poll(async () => (await world.kit.executions.resolve(requestId)).status).toBe('running')
      return requestId
    }
    const once = await running('stopped/once', '--once')
    expect((await oauth3(['show', once])).stdout).toContain(`oauth3 stop ${once.slice(0, 16)}`)
    expect((await oauth3(['stop', once.slice(4, 16)])).stdout).toBe(
      `${once} (stopped/once) was stopped; it is not repeated.\n`,
    )
    expect(await world.kit.finished(once as RequestId)).toMatchObject({
      status: 'failed',
      failure: 'stopped',
    })
    expect((await oauth3(['show', once])).stdout).not.toContain('oauth3 stop')
    const audited = json(await oauth3(['audit', 'list', '--request', once, '--json'])).rows
    expect(audited.map((row: { event: string; actor: string }) => [row.event, row.actor]).slice(-2)).toEqual([
      ['execution.stopped', `cli:${process.getuid?.()}`],
      ['execution.finished', 'daemon'],
    ])

    const granted = await running('stopped/granted', '--forever')
    const again = /Grant (\d+) lets it run again: oauth3 trust revoke \1\n$/
    expect((await oauth3(['stop', granted])).stdout).toMatch(again)
    const { requestId: trusted } = await world.kit.ask({ skillId: 'stopped/granted', code: ENDLESS })
    expect((await oauth3(['stop', trusted])).stdout).toMatch(again)
    const [grant] = json(await oauth3(['trust', 'list', '--json'])).grants
    expect(grant).toMatchObject({ skill_id: 'stopped/granted' })
    const { requestId: last } = await world.kit.ask({ skillId: 'stopped/granted', code: ENDLESS })
    await expect.poll(async () => (await world.kit.executions.resolve(last)).status).toBe('running')
    expect((await oauth3(['status'])).stdout).toMatch(/ · 1 running\n/)
    expect((await oauth3(['trust', 'revoke', String(grant.id)])).stdout).toBe(
      `Grant ${grant.id} (stopped/granted) revoked.\n${last} goes on: oauth3 stop ${last.slice(0, 16)}\n`,
    )
    expect((await oauth3(['stop', last])).stdout).toBe(
      `${last} (stopped/granted) was stopped; it is not repeated.\n`,
    )

    const newest = (await oauth3(['requests', '--all'])).stdout
    expect(newest).toMatch(new RegExp(`^${last.slice(0, 16)} .* failed \\(stopped\\) `, 'm'))
    expect((await oauth3(['status'])).stdout).toMatch(/ · 0 running\n/)

    expect(await oauth3(['stop', once])).toMatchObject({
      code: 5,
      stderr: 'oauth3: It has ended already: failed.\n',
    })
    const waiting = await world.kit.ask({ skillId: 'stopped/early' })
    expect(await oauth3(['stop', waiting.requestId])).toMatchObject({
      code: 5,
      stderr: 'oauth3: It has not begun: it waits for an answer, and can be denied.\n',
    })
    expect((await world.kit.executions.resolve(waiting.requestId)).status).toBe('pending')
    expect(await oauth3(['stop', 'ffff'])).toMatchObject({ code: 4 })
    expect(await oauth3(['stop'])).toMatchObject({ code: 2 })
  })

  test('names an unknown and an ambiguous id', async () => {
    await world.kit.ask({ skillId: 'one/of-many' })
    expect(await oauth3(['show', 'req_ffffffffffffffffffffffffffffffff'])).toMatchObject({ code: 4 })
    expect(await oauth3(['show', 'req_'])).toMatchObject({ code: 2 })
    expect(await oauth3(['show', 'req_%'])).toMatchObject({ code: 4 })
    const body = JSON.parse((await oauth3(['deny', 'ffffffffffffffff', '--json'])).stderr)
    expect(body.error).toMatchObject({ code: 'not_found', exit_code: 4 })
    expect(body.error.message).toContain('Ids begin with ask_, req_')
  })
})
