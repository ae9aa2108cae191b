import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pushRoutes } from '../../src/http/admin-api/push-routes.ts'
import { createDomainKit, type DomainKit, requestOf } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'
import { createRunTools } from '../support/run-tools-kit.ts'
import { openRaw } from '../support/test-engine.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

/** A push service at the wire, and a browser that subscribed there. */
const HOST = 'push.example.com'
const ENDPOINT = `https://${HOST}/send/demo`
const browser = createECDH('prime256v1')
const auth = randomBytes(16)
const keys = { p256dh: browser.generateKeys('base64url'), auth: auth.toString('base64url') }

let dir: string
let service: TlsUpstream
let kit: DomainKit
let got: { readonly headers: IncomingMessage['headers']; readonly body: Buffer }[]
let answers: ((response: ServerResponse) => void)[]

async function start(addresses: readonly string[] = ['127.0.0.1'], isOpen = true): Promise<void> {
  kit = await createDomainKit({
    dir,
    environment: { OAUTH3_PUSH_HOSTS: HOST },
    pushSender: {
      resolve: async () => [...addresses],
      ...(isOpen && { isAllowedAddress: (address: string) => address === '127.0.0.1' }),
      tls: { ca: service.ca },
      port: service.port,
    },
  })
}
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-push-'))
  got = []
  answers = []
  service = await startTlsUpstream([HOST], async (request, response) => {
    got.push({ headers: request.headers, body: await buffer(request) })
    const answer = answers.shift()
    if (answer) answer(response)
    else response.writeHead(201).end()
  })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const subscribe = (endpoint = ENDPOINT, person: 'cli:0' | 'telegram:7' | 'telegram:8' = 'cli:0', of = keys) =>
  kit.storage.transaction((tx) => kit.push.add(tx, person, { endpoint, ...of }))
async function ask() {
  const agent = kit.agents.list()[0] ?? (await kit.agents.add({ name: 'clawd' }, 'cli:0')).agent
  return await kit.executions.submit(
    agent,
    requestOf({ skillId: 'demo/skill', code: 'console.log("not told")\n' }),
  )
}
const waiting = () => kit.outbox.waiting('push:')
const until = (work: () => unknown, value: unknown) =>
  expect.poll(work, { timeout: patience(10_000) }).toEqual(value)

/** RFC 8291 and RFC 8188, by the browser's keys. */
function decrypt(body: Buffer): string {
  const salt = body.subarray(0, 16)
  const sender = body.subarray(21, 21 + (body[20] ?? 0))
  const sealed = body.subarray(21 + sender.length)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), browser.getPublicKey(), sender])
  const ikm = Buffer.from(hkdfSync('sha256', browser.computeSecret(sender), auth, info, 32))
  const key = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: aes128gcm\0', 16))
  const nonce = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: nonce\0', 12))
  const open = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()])
  return plain.subarray(0, plain.lastIndexOf(2)).toString()
}

test('a push service gets ciphertext that decrypts to who asks and the id, and to nothing else', async () => {
  await start()
  await subscribe()
  const { requestId } = await ask()
  await until(waiting, 0)
  expect(got).toHaveLength(1)
  expect(JSON.parse(decrypt(got[0]?.body ?? Buffer.alloc(0)))).toEqual({ title: 'clawd asks', id: requestId })
  expect(got[0]?.body.length).toBeLessThanOrEqual(4_096)
  expect(got[0]?.headers).toMatchObject({
    'content-encoding': 'aes128gcm',
    authorization: expect.stringMatching(/^vapid t=/),
  })
  expect(Number(got[0]?.headers.ttl)).toBeGreaterThan(0)
})

test('an app whose run asks for a tool is named too, and neither tool nor arguments are told', async () => {
  await start()
  await subscribe()
  const tools = await createRunTools(kit)
  const run = tools.begin()
  let fed = ''
  using _following = kit.feed.follow(undefined, (piece) => {
    fed += piece.toString()
  })
  const asked = run.request('WebSearch', { query: 'not told' })
  const id = await tools.nextAsked()
  await until(waiting, 0)
  const told = { title: `${tools.app.name} asks`, id }
  expect(got.map(({ body }) => JSON.parse(decrypt(body)))).toEqual([told])
  await until(() => fed.includes(`"id":"${id}","app_id":"${tools.app.id}"`), true)
  expect(fed).not.toContain('not told')
  await tools.answer(id, 'deny', owner())
  expect(await asked).toMatchObject({ behavior: 'deny' })
  await run.end()
})

test('a subscription that the service knows no more is dropped, and a busy service is asked again', async () => {
  await start()
  await subscribe()
  answers.push((response) => response.writeHead(429, { 'retry-after': '1' }).end())
  await ask()
  await until(() => got.length, 1)
  expect(await kit.storage.read((tx) => kit.push.of(tx, 'cli:0'))).toHaveLength(1)
  answers.push((response) => response.writeHead(410).end())
  await ask()
  await until(async () => (await kit.storage.read((tx) => kit.push.of(tx, 'cli:0'))).length, 0)
})

test.each([
  'http://push.example.com/a',
  'https://push.example.com:8443/a',
  'https://127.0.0.1/a',
  'https://[::1]/a',
  'https://169.254.169.254/latest/meta-data',
  'https://localhost/a',
  'https://user@push.example.com/a',
  'https://push.example.com.evil.example/a',
  'https://evil.example/push.example.com',
  'file:///etc/passwd',
  'https://push.example.com/a/../b',
  `https://push.example.com/${'a'.repeat(3_000)}`,
])('%s is no endpoint', async (endpoint) => {
  await start()
  await expect(subscribe(endpoint)).rejects.toMatchObject({ code: 'invalid_request' })
})

test.each(['127.0.0.1', '169.254.169.254', '10.0.0.1', '::1', '::ffff:127.0.0.1'])(
  'a listed service whose name leads to %s is not dialled',
  async (address) => {
    await start([address], false)
    const { id } = await subscribe()
    await ask()
    await until(async () => (await kit.outbox.queued(`push:${id}`))[0]?.attempts, 1)
    expect(service.connections).toBe(0)
  },
)

test('a redirect is not followed', async () => {
  await start()
  await subscribe()
  answers.push((response) => response.writeHead(307, { location: `https://${HOST}/elsewhere` }).end())
  await ask()
  await until(waiting, 0)
  expect(service.seen.map(({ path }) => path)).toEqual(['/send/demo'])
})

test('nobody ends or sees another person’s browser, and each has a bounded number', async () => {
  await start()
  const { id } = await subscribe()
  await expect(kit.storage.transaction((tx) => kit.push.remove(tx, 'telegram:7', id))).rejects.toMatchObject({
    code: 'not_found',
  })
  expect(await kit.storage.read((tx) => kit.push.of(tx, 'telegram:7'))).toEqual([])
  for (let count = 0; count < 10; count++) await subscribe(`${ENDPOINT}/${count}`, 'telegram:7')
  await expect(subscribe(`${ENDPOINT}/more`, 'telegram:7')).rejects.toMatchObject({ code: 'conflict' })
})

test('keys that are no point of the curve are refused, and none is in the database in clear', async () => {
  await start()
  const bad = Buffer.alloc(65, 1)
  bad[0] = 4
  await expect(
    subscribe(ENDPOINT, 'cli:0', { ...keys, p256dh: bad.toString('base64url') }),
  ).rejects.toMatchObject({ code: 'invalid_request' })
  await subscribe()
  await kit.vault.rotate('cli:0')
  expect(await kit.storage.read((tx) => kit.push.of(tx, 'cli:0'))).toHaveLength(1)
  const db = openRaw(dir)
  const rows = JSON.stringify(db.prepare('SELECT * FROM meta').all())
  db.close()
  expect(rows).not.toContain(keys.auth)
  expect(rows).not.toContain(HOST)
})

test('whoever may decide no longer is told nothing more', async () => {
  await start()
  await subscribe(ENDPOINT, 'telegram:8')
  await ask()
  await until(waiting, 0)
  expect(got).toEqual([])
  expect(await kit.storage.read((tx) => kit.push.of(tx, 'telegram:8'))).toEqual([])
})

test('a browser that is told, and one that is no longer, stand in the audit without their address', async () => {
  await start()
  const person = { principal: owner(), actor: 'cli:0', origin: null } as const
  const routes = pushRoutes({ ...kit, owner: person })
  const { id } = await routes.addPush({ params: {}, body: { endpoint: ENDPOINT, keys } })
  await routes.removePush({ params: { id } })
  const rows = (await kit.audit.newest(10)).filter(({ event }) => event.startsWith('push.'))
  expect(rows.map(({ event, actor }) => [event, actor])).toEqual([
    ['push.unsubscribed', 'cli:0'],
    ['push.subscribed', 'cli:0'],
  ])
  expect(JSON.stringify(rows)).not.toContain('/send/demo')
})
