import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeOf, createBrowser, linkOf, portOf } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'

let kit: DaemonKit
beforeAll(async () => {
  kit = await createDaemonKit({
    sandbox: async () =>
      createScriptedSandbox((_order, print) => {
        print('stdout', 'hello\n')
        return {}
      }),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

test('a link of oauth3 console signs its owner in, who then may all that the owner may', async () => {
  const link = await linkOf(kit)
  expect(link).toMatch(new RegExp(`^http://localhost:${portOf(kit)}/console/#code=[A-Za-z0-9_-]{43}$`))
  const browser = createBrowser(kit)
  expect((await browser.send('/console/api/session')).status).toBe(401)
  const signedIn = await browser.send('/console/api/session/code', {
    method: 'POST',
    body: { code: codeOf(link) },
  })
  expect(signedIn.status, signedIn.text).toBe(200)
  expect(signedIn.body).toMatchObject({ role: 'owner', method: 'link', tenant: 'default' })
  expect((await browser.send('/console/api/session')).body.id).toBe(signedIn.body.id)

  const stored = await browser.send('/console/api/v1/secrets/DEMO_KEY', {
    method: 'PUT',
    body: { value: 'demo-value', hosts: ['api.example.com'] },
  })
  expect(stored.status, stored.text).toBe(200)
  const asked = await kit.post({ skill_id: 'demo/one', code: "console.log('one')\n" })
  const { approvals } = (await browser.send('/console/api/v1/approvals')).body
  expect(approvals).toMatchObject([{ id: asked.body.request_id }])
  const decided = await browser.send(`/console/api/v1/approvals/${asked.body.request_id}/decision`, {
    method: 'POST',
    body: { choice: 'once', consent_hash: approvals[0].consent_hash },
  })
  expect(decided.status, decided.text).toBe(200)
  const { rows } = (await browser.send('/console/api/v1/audit?limit=100')).body
  const told = rows.map((row: { event: string; actor: string }) => `${row.event} ${row.actor}`)
  const me = `cli:${process.getuid?.()}`
  expect(told).toEqual(
    expect.arrayContaining([
      `session.invited ${me}`,
      `session.opened ${me}`,
      `secret.stored ${me}`,
      `approval.decided ${me}`,
    ]),
  )
})

test('a tab follows what happens in one stream, and resumes it where it left off', async () => {
  const browser = createBrowser(kit)
  await browser.signIn()
  const stream = await browser.follow()
  expect(stream.text()).toMatch(/^retry: 2000\nid: [0-9a-f]{12}-\d+\ndata: \{"type":"hello","now":\d+,/)
  const { body } = await kit.post({ skill_id: 'demo/two', code: "console.log('two')\n" })
  const got = await stream.until(/approval\.requested/)
  expect(got).toContain(`"type":"approval.requested","id":"${body.request_id}"`)
  const before = /id: (\S+)\ndata: \{"type":"approval\.requested"/.exec(got)?.[1] ?? ''
  stream.close()
  await stream.ended
  expect((await kit.send('DELETE', `/execute/${body.request_id}`)).status).toBe(200)
  const resumed = await browser.follow({ 'last-event-id': before })
  expect(await resumed.until(/"status":"cancelled"/)).not.toContain('approval.requested')
  resumed.close()
  const strange = await browser.follow({ 'last-event-id': '000000000000-1' })
  expect(await strange.until(/reset/)).toContain('"type":"reset"')
  strange.close()
})

test('sessions are listed, and one that is revoked is signed out at once', async () => {
  const browser = createBrowser(kit)
  const { body } = await browser.signIn()
  const stream = await browser.follow()
  const listed = await kit.admin('GET', '/v1/sessions')
  expect(listed.body.sessions.map(({ id }: { id: string }) => id)).toContain(body.id)
  expect((await kit.admin('DELETE', `/v1/sessions/${body.id}`)).status).toBe(200)
  await stream.ended
  expect((await browser.send('/console/api/session')).status).toBe(401)
  expect((await kit.admin('DELETE', `/v1/sessions/${body.id}`)).status).toBe(404)
})

test('a session outlives the daemon that it was opened at', async () => {
  const browser = createBrowser(kit)
  const { body } = await browser.signIn()
  const name = browser.cookie?.split('=')[0]
  await kit.restart()
  // The cookie's name has the port, which this kit's daemon chooses anew.
  browser.cookie = browser.cookie?.replace(name ?? '', `oauth3_session_${portOf(kit)}`)
  expect((await browser.send('/console/api/session')).body.id).toBe(body.id)
})

test('browsers of this machine reach the console, and nothing else, where agents have an address of their own', async () => {
  await using own = await createDaemonKit({
    environment: { HOST: '127.0.0.2' },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
  const browser = createBrowser(own)
  expect((await browser.signIn()).status).toBe(200)
  const { body } = await own.admin('POST', '/v1/console/link')
  expect(body).toMatchObject({
    url: expect.stringContaining(`http://localhost:${portOf(own)}/`),
    problem: null,
  })
  for (const path of ['/health', '/execute', '/llm/openai/v1/models', '/mcp'])
    expect((await browser.send(path)).status, path).toBe(404)
})
