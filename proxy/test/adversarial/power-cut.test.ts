import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isFinal } from '../../src/executions/index.ts'
import { startApi } from '../support/api-kit.ts'
import { createDomainKit, createScriptedSandbox, requestOf } from '../support/domain-kit.ts'
import { createHeldDisk } from '../support/held-disk.ts'
import { owner } from '../support/principals.ts'
import { createTelegramKit } from '../support/telegram-kit.ts'

/** What is committed in a group is nothing to the outside until the disk has it: a power cut may take it. */

const BODY = { skill_id: 'demo', code: 'console.log(1)' }
/** Long enough that what would be told at once has been told. */
const told = (): Promise<unknown> => sleep(400)

test('an agent that repeats what is done already has no code handed over before its beginning is on the disk', async () => {
  const disk = createHeldDisk()
  await using api = await startApi({ toDisk: disk.toDisk })
  using _taken = disk
  const first = (await api.execute(BODY)).json.request_id
  await api.decide(first, 'forever')
  await api.call('GET', `/execute/${first}?wait=20`)
  expect((await api.call('POST', `/execute/${first}/ack`)).status).toBe(200)
  const { json } = await api.execute({ ...BODY, code: 'console.log(2)' })
  disk.hold()
  await api.decide(json.request_id)
  await expect.poll(async () => (await api.executions.resolve(json.request_id)).status).toBe('running')
  for (let n = 0; n < 3; n += 1) await api.call('POST', `/execute/${first}/ack`)
  await told()
  expect(api.orders).toHaveLength(1)
  disk.release()
  await expect.poll(() => api.orders.length).toBe(2)
})

test('a repeat of an idempotency key is not answered before the request is on the disk', async () => {
  const disk = createHeldDisk()
  await using api = await startApi({ toDisk: disk.toDisk })
  using _taken = disk
  disk.hold()
  const first = api.execute(BODY, { 'idempotency-key': 'k1' })
  await expect.poll(() => api.rows('executions')).toBe(1)
  let isAnswered = false
  const repeat = api.execute(BODY, { 'idempotency-key': 'k1' }).finally(() => {
    isAnswered = true
  })
  await told()
  expect(isAnswered).toBe(false)
  disk.release()
  expect((await repeat).json.request_id).toBe((await first).json.request_id)
})

test.each([
  ['is asked for', (id: string) => `/execute/${id}`],
  ['is asked for by its status', (id: string) => `/execute/${id}/status`],
  ['is waited for', (id: string) => `/execute/${id}?wait=20`],
  ['is listed', () => '/execute'],
  ['is followed', (id: string) => `/execute/${id}/events`],
])('an outcome that %s is not told before it is on the disk', async (_how, pathOf) => {
  const disk = createHeldDisk()
  await using api = await startApi({ toDisk: disk.toDisk })
  using _taken = disk
  const id = (await api.execute(BODY)).json.request_id
  api.play = async () => {
    disk.hold()
    return {}
  }
  await api.decide(id)
  await expect.poll(async () => isFinal((await api.executions.resolve(id)).status)).toBe(true)
  let isAnswered = false
  const answer = api.call('GET', pathOf(id)).finally(() => {
    isAnswered = true
  })
  await told()
  expect([isAnswered, disk.waiting]).toEqual([false, 1])
  disk.release()
  expect((await answer).text).toContain('success')
})

test('no part of a card is sent before its request is on the disk', async () => {
  const disk = createHeldDisk()
  await using kit = await createTelegramKit({ toDisk: disk.toDisk })
  using _taken = disk
  disk.hold()
  const asked = kit.submit({ code: `${'console.log(1)\n'.repeat(200)}` })
  await expect
    .poll(async () => (await kit.storage.read((tx) => kit.executions.list(tx, { limit: 9 }))).length)
    .toBe(1)
  await told()
  expect(kit.double.messages).toEqual([])
  disk.release()
  await asked
  await kit.double.waitFor(() => kit.double.messages.find(({ buttons }) => buttons.length > 0), 'the card')
})

test('nobody is woken for an outcome before it is on the disk', async () => {
  const disk = createHeldDisk()
  const dir = mkdtempSync(join(tmpdir(), 'oauth3-power-'))
  const woken: string[] = []
  {
    await using kit = await createDomainKit({
      dir,
      toDisk: disk.toDisk,
      wake: { kind: 'openclaw-cli', target: '/none', sessionKey: null, token: null },
      wakeChannels: {
        'openclaw-cli': {
          async deliver(_target, _token, { text }) {
            woken.push(text)
            return { delivered: true, message: 'ok' }
          },
        },
      },
      sandbox: createScriptedSandbox(async () => {
        disk.hold()
        return { durationMs: 5 }
      }),
    })
    using _taken = disk
    await kit.waker.start()
    const { agent } = await kit.agents.add({ name: 'demo-agent' }, 'cli:0')
    const { requestId, consentHash } = await kit.executions.submit(agent, requestOf())
    await kit.executions.decide(requestId, consentHash, 'once', owner('1000', 'tester'))
    await expect.poll(async () => isFinal((await kit.executions.resolve(requestId)).status)).toBe(true)
    // Later than the wake is due.
    await sleep(700)
    void kit.waker.nudge()
    await told()
    expect(woken).toEqual([])
    disk.release()
    await expect.poll(() => woken.length).toBe(1)
  }
  rmSync(dir, { recursive: true, force: true })
})
