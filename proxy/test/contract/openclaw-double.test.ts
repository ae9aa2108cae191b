import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WakeTarget } from '../../src/identity/agents/index.ts'
import type { WakeReceipt } from '../../src/notify/wake/index.ts'
import { createOpenclawHookChannel } from '../../src/notify/wake-channels/index.ts'
import { createOpenclawDouble, MAIN_SESSION, type OpenclawDouble } from '../support/openclaw-double.ts'

/** The double keeps the rules that were observed on a real gateway, and the hook channel understands each answer. */
const TOKEN = 'demo-value-hook'
let now = 0
let double: OpenclawDouble

beforeEach(async () => {
  now = 1_800_000_000_000
  double = await createOpenclawDouble({ token: TOKEN, sessions: ['agent:main:work'], now: () => now })
})
afterEach(() => double[Symbol.asyncDispose]())

const raw = (body: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${double.url}/hooks/wake`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body,
    ...init,
  })

const deliver = (
  text: string,
  change: { target?: string; token?: string; sessionKey?: string | null } = {},
): Promise<WakeReceipt> => {
  const sessionKey = change.sessionKey ?? null
  const target: WakeTarget = {
    kind: 'openclaw-hook',
    target: change.target ?? double.url,
    sessionKey,
    sealedToken: null,
  }
  return createOpenclawHookChannel().deliver(
    target,
    change.token ?? TOKEN,
    { text, requests: [], sessionKey },
    new AbortController().signal,
  )
}

test('answers a wake with queued, and a repeat of a text that still waits with coalesced', async () => {
  double.heartbeat = false
  expect(await (await raw('{"text":"a","mode":"now"}')).json()).toEqual({
    ok: true,
    mode: 'now',
    eventOutcome: 'queued',
  })
  expect(await deliver('a')).toEqual({ delivered: true, message: '200 coalesced' })
  expect(double.waitingIn(MAIN_SESSION)).toEqual(['a'])
})

test.each([
  ['the bare address', ''],
  ['an address with a slash', '/'],
  ['the address of the hooks', '/hooks'],
  ['the address of the wake hook', '/hooks/wake'],
  ['the address of the wake hook with a slash', '/hooks/wake/'],
])('finds the wake hook from %s', async (_name, path) => {
  expect(await deliver('a', { target: `${double.url}${path}` })).toEqual({
    delivered: true,
    message: '200 queued',
  })
  expect(double.seenBy(MAIN_SESSION)).toEqual(['a'])
})

test('refuses an empty text and a session that is not enabled with 400, for good', async () => {
  expect(await deliver(' ')).toMatchObject({
    delivered: false,
    permanent: true,
    message: expect.stringMatching(/^400 /),
  })
  const unknown = await deliver('a', { sessionKey: 'agent:main:other' })
  expect(unknown).toMatchObject({
    delivered: false,
    permanent: true,
    message: expect.stringContaining('sessionKey is disabled'),
  })
})

test('delivers to the named session and to no other', async () => {
  await deliver('a', { sessionKey: 'agent:main:work' })
  expect(double.seenBy('agent:main:work')).toEqual(['a'])
  expect(double.seenBy(MAIN_SESSION)).toEqual([])
})

test('refuses a wrong token with 401 and says what is wrong', async () => {
  expect(await deliver('a', { token: 'demo-value-other' })).toEqual({
    delivered: false,
    permanent: true,
    message: '401 the hook token is wrong: Unauthorized',
  })
})

test('asks for a pause of 60 seconds after 20 wrong tokens, even from the right one', async () => {
  for (let i = 0; i < 20; i += 1) await deliver('a', { token: 'demo-value-other' })
  const locked = await deliver('a')
  expect(locked).toMatchObject({
    delivered: false,
    retryAfterMs: 60_000,
    message: expect.stringMatching(/^429 /),
  })
  expect(locked).not.toHaveProperty('permanent')
  now += 60_000
  expect(await deliver('a')).toMatchObject({ delivered: true })
})

test('takes POST only, on that path only, and 256 KiB at most', async () => {
  expect((await fetch(`${double.url}/hooks/wake`)).status).toBe(405)
  expect((await fetch(`${double.url}/elsewhere`, { method: 'POST' })).status).toBe(404)
  const large = JSON.stringify({ text: 'x'.repeat(256 * 1024), mode: 'now' })
  expect((await raw(large)).status).toBe(413)
  expect(await deliver('x'.repeat(256 * 1024))).toMatchObject({ delivered: false, permanent: true })
})

test('keeps the newest 20 events of a session', async () => {
  double.heartbeat = false
  for (let i = 1; i <= 25; i += 1) await deliver(`event ${i}`)
  expect(double.waitingIn(MAIN_SESSION)).toHaveLength(20)
  expect(double.waitingIn(MAIN_SESSION)[0]).toBe('event 6')
})

test('begins five turns a minute and puts off the sixth until a later wake', async () => {
  for (let i = 1; i <= 6; i += 1) await deliver(`event ${i}`)
  expect(double.turns).toEqual({ begun: 5, deferred: 1 })
  expect(double.waitingIn(MAIN_SESSION)).toEqual(['event 6'])
  now += 60_000
  await deliver('event 7')
  expect(double.seenBy(MAIN_SESSION).slice(-2)).toEqual(['event 6', 'event 7'])
})

test('forgets what waits when it is restarted', async () => {
  double.heartbeat = false
  await deliver('a')
  await double.restart()
  expect(double.waitingIn(MAIN_SESSION)).toEqual([])
})
