import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, codeOf, createBrowser, linkOf, portOf } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { ANN } from '../support/telegram-kit.ts'
import { openRaw } from '../support/test-engine.ts'

let kit: DaemonKit
let now = 0
beforeAll(async () => {
  kit = await createDaemonKit({
    clock: { now: () => Date.now() + now },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const MINUTE = 60_000
const HOUR = 60 * MINUTE
async function signedIn(): Promise<Browser> {
  const browser = createBrowser(kit)
  const answer = await browser.signIn()
  expect(answer.status, answer.text).toBe(200)
  return browser
}
const give = (browser: Browser, code: string) =>
  browser.send('/console/api/session/code', { method: 'POST', body: { code } })
const isIn = async (browser: Browser): Promise<boolean> =>
  (await browser.send('/console/api/session')).status === 200

describe('a link', () => {
  test('signs in one browser, of however many that come at once', async () => {
    const code = codeOf(await linkOf(kit))
    const answers = await Promise.all(Array.from({ length: 12 }, () => give(createBrowser(kit), code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(11)
    expect((await give(createBrowser(kit), code)).status).toBe(401)
  })

  test('is nothing after two minutes, nor after a restart that it was used before', async () => {
    const [late, used] = [codeOf(await linkOf(kit)), codeOf(await linkOf(kit))]
    expect((await give(createBrowser(kit), used)).status).toBe(200)
    await kit.restart()
    expect((await give(createBrowser(kit), used)).status).toBe(401)
    now += 2 * MINUTE
    expect((await give(createBrowser(kit), late)).status).toBe(401)
  })

  test('for an approver is made at the admin socket alone, for who is one, and signs in them and nobody else', async () => {
    const approver = String(ANN.id)
    const link = (body: object) => kit.admin('POST', '/v1/console/link', body)
    expect((await link({ approver: '424242' })).status).toBe(404)
    const owner = await signedIn()
    const asked = await owner.send('/console/api/v1/console/link', { method: 'POST', body: { approver } })
    expect([asked.status, asked.body.error.code]).toEqual([409, 'refused'])
    const browser = createBrowser(kit)
    const answer = await give(browser, codeOf((await link({ approver })).body.url))
    expect(answer.status, answer.text).toBe(200)
    const { body } = await browser.send('/console/api/session')
    expect(body).toMatchObject({ role: 'approver' })
    // A session of theirs is as far as an approver gets.
    expect((await browser.send('/console/api/v1/tenants')).status).toBe(409)
    const other = await browser.send('/console/api/v1/console/link', { method: 'POST', body: { approver } })
    expect(other.body.error.code).toBe('refused')
  })

  test('cannot be guessed: after some tries an address is told to wait, while a good link still works', async () => {
    const browser = createBrowser(kit)
    const answers: number[] = []
    for (let at = 0; at < 40; at++) answers.push((await give(browser, `${'A'.repeat(42)}${at % 10}`)).status)
    expect(answers.slice(0, 5)).toEqual([401, 401, 401, 401, 401])
    expect(answers.at(-1)).toBe(429)
    const told = (await kit.admin('GET', '/v1/audit?limit=1000&event=request.refused')).body.rows
    const console = told.filter(({ data }: { data: string }) => data.includes('"console"'))
    expect(console.length).toBeGreaterThan(0)
    expect(console.length).toBeLessThan(10)
    expect(JSON.stringify(told)).not.toContain('AAAA')
    expect((await browser.signIn()).status).toBe(200)
  })
})

describe('a session', () => {
  test('has an id that nobody chose before it (session fixation)', async () => {
    const victim = createBrowser(kit)
    const fixed = `${(await signedIn()).cookie?.split('=')[0]}=${'F'.repeat(43)}`
    victim.cookie = fixed
    await victim.signIn()
    expect(victim.cookie).not.toBe(fixed)
    const attacker = createBrowser(kit)
    attacker.cookie = fixed
    expect(await isIn(attacker)).toBe(false)
  })

  test('that signs in again has a new cookie, and the one before is nothing', async () => {
    const browser = await signedIn()
    const stolen = createBrowser(kit)
    stolen.cookie = browser.cookie
    await browser.signIn()
    expect(await isIn(browser)).toBe(true)
    expect(await isIn(stolen)).toBe(false)
  })

  test('that is signed out is nothing at once, to whoever has its cookie, and its streams are cut', async () => {
    const browser = await signedIn()
    const thief = createBrowser(kit)
    thief.cookie = browser.cookie
    const stream = await thief.follow()
    expect(stream.status).toBe(200)
    const out = await browser.send('/console/api/session/logout', { method: 'POST' })
    expect(out.headers['set-cookie']?.[0]).toContain('Max-Age=0')
    await stream.ended
    await kit.post({ skill_id: 'demo/after', code: "console.log('after')\n" })
    expect(stream.text()).not.toContain('demo/after')
    for (const path of ['/console/api/session', '/console/api/v1/secrets', '/console/api/events'])
      expect((await thief.send(path)).status, path).toBe(401)
    const still = await signedIn()
    const browsers = [thief, still]
    await kit.restart()
    for (const one of browsers) one.cookie = one.cookie?.replace(/_\d+=/, `_${portOf(kit)}=`)
    expect([await isIn(thief), await isIn(still)]).toEqual([false, true])
  })

  test('ends after twelve hours unused and after seven days whatever it does', async () => {
    const [idle, busy] = [await signedIn(), await signedIn()]
    for (let hours = 0; hours < 7 * 24 - 2; hours += 11) {
      expect(await isIn(busy), `${hours} h`).toBe(true)
      now += 11 * HOUR
      if (hours === 0) expect(await isIn(idle)).toBe(true)
      if (hours === 22) expect(await isIn(idle)).toBe(false)
    }
    expect(await isIn(busy)).toBe(false)
  })

  test('may do what asks for a fresh proof for ten minutes, and then again by another link', async () => {
    const browser = await signedIn()
    const add = (name: string) =>
      browser.send('/console/api/v1/agents', { method: 'POST', body: { name, cidrs: [], tags: [] } })
    expect((await add('fresh')).status).toBe(200)
    now += 10 * MINUTE
    const refused = await add('stale')
    expect(refused.body.error).toMatchObject({ code: 'refused', details: { reason: 'step_up_required' } })
    expect((await browser.send('/console/api/v1/agents')).status).toBe(200)
    await browser.signIn()
    expect((await add('proved')).status).toBe(200)
  })

  test('that is revoked takes with it the links that its person had made: they may be the thief’s', async () => {
    const browser = await signedIn()
    const made = await browser.send('/console/api/v1/console/link', { method: 'POST' })
    const { sessions } = (await kit.admin('GET', '/v1/sessions')).body
    for (const { id } of sessions) await kit.admin('DELETE', `/v1/sessions/${id}`)
    expect((await give(createBrowser(kit), codeOf(made.body.url))).status).toBe(401)
    expect((await createBrowser(kit).signIn()).status).toBe(200)
  })

  test('follows in ten tabs and no more', async () => {
    const browser = await signedIn()
    const streams = await Promise.all(Array.from({ length: 10 }, () => browser.follow()))
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200))
    expect((await browser.follow()).status).toBe(429)
    streams[0]?.close()
    for (const stream of streams) stream.close()
  })

  test('whose browser sends two cookies of its name is nobody’s (cookie tossing)', async () => {
    const [mine, theirs] = [await signedIn(), await signedIn()]
    const tossed = createBrowser(kit)
    for (const [first, second] of [
      [mine, theirs],
      [theirs, mine],
    ]) {
      tossed.cookie = `${first?.cookie}; ${second?.cookie}`
      expect(await isIn(tossed)).toBe(false)
    }
  })
})

test('neither a code nor a cookie is stored or told, only what they hash to', async () => {
  const link = await linkOf(kit)
  const browser = await signedIn()
  const secrets = [codeOf(link), browser.cookie?.split('=')[1] ?? '']
  const db = openRaw(kit.folder, 'data/proxy.db')
  try {
    for (const table of ['sessions', 'sign_in_codes', 'audit_log'])
      for (const secret of secrets) {
        expect(secret).toMatch(/^[\w-]{43}$/)
        expect(JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all())).not.toContain(secret)
      }
  } finally {
    db.close()
  }
})
