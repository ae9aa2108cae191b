import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { databaseSize, settledSize } from '../support/stored.ts'

let kit: DaemonKit
const start = async (environment: Record<string, string> = {}): Promise<void> => {
  kit = await createDaemonKit({
    sandbox: async () => createScriptedSandbox(),
    readFreeBytes: () => undefined,
    environment: { OAUTH3_MAX_WAITING: '1000', ...environment },
  })
}
beforeEach(() => start())
afterEach(() => kit[Symbol.asyncDispose]())

const MIB = 1_048_576
const bodyOf = (marker: string, bytes: number): object => ({
  skill_id: 'flood',
  runtime: 'deno',
  code: `// ${marker} ${'x'.repeat(bytes)}\n`,
})
const tokenOf = async (name: string): Promise<string> =>
  (await kit.admin('POST', '/v1/agents', { name })).body.token
const decide = async (id: string, decision: string): Promise<{ status: number }> => {
  const { body } = await kit.admin('GET', `/v1/requests/${id}`)
  return kit.admin('POST', `/v1/requests/${id}/decision`, { decision, consent_hash: body.consent_hash })
}

describe('a flood of requests that nobody approves', () => {
  it('leaves the database at its size once they have ended', async () => {
    const before = await settledSize(kit)
    const ids: string[] = []
    for (let i = 0; i < 24; i++) ids.push((await kit.post(bodyOf(`flood ${i}`, MIB - 100))).body.request_id)
    expect(await databaseSize(kit)).toBeGreaterThan(before + 20 * MIB)
    for (const [index, id] of ids.entries()) {
      if (index % 2 === 0) expect((await kit.send('DELETE', `/execute/${id}`)).status).toBe(200)
      else expect((await decide(id, 'deny')).status).toBe(200)
    }
    expect(await settledSize(kit)).toBeLessThan(before + MIB)
    const denied = await kit.admin('GET', `/v1/requests/${ids[1]}`)
    expect([denied.status, denied.body.status]).toEqual([200, 'denied'])
    expect(denied.body.card.code).toMatchObject({
      kept: false,
      text: `The code is no longer kept; its hash is ${denied.body.code_hash}`,
    })
  })

  it('keeps the code that another request waits with', async () => {
    const body = bodyOf('shared', 10_000)
    const first = (await kit.post(body)).body.request_id
    kit.token = await tokenOf('other')
    const second = (await kit.post(body)).body.request_id
    expect(second).not.toBe(first)
    await decide(first, 'deny')
    await settledSize(kit)
    const { body: view } = await kit.admin('GET', `/v1/requests/${second}`)
    expect(view.card.code).toMatchObject({ kept: true, lines: 1 })
    expect((await decide(second, 'once')).status).toBe(200)
    expect((await kit.get(`/execute/${second}?wait=10`)).body.status).toBe('success')
  })
})

describe('the room of an agent', () => {
  beforeEach(async () => {
    await kit[Symbol.asyncDispose]()
    await start({ OAUTH3_AGENT_MAX_BYTES: String(3 * MIB) })
  })

  it("ends where its limit is, says what frees it, and is nobody else's", async () => {
    const ids: string[] = []
    let refused: { status: number; body: { error: { code: string; message: string } } } | undefined
    for (let i = 0; i < 6 && refused === undefined; i++) {
      const answer = await kit.post(bodyOf(`quota ${i}`, MIB - 100))
      if (answer.status === 202) ids.push(answer.body.request_id)
      else refused = answer
    }
    expect(refused?.status).toBe(429)
    expect(refused?.body.error).toMatchObject({
      code: 'rate_limited',
      message: expect.stringMatching(/OAUTH3_AGENT_MAX_BYTES.*cancelled/),
    })
    expect(ids.length).toBe(2)

    const own = kit.token
    kit.token = await tokenOf('neighbour')
    expect((await kit.post(bodyOf('neighbour', MIB - 100))).status).toBe(202)

    kit.token = own
    await kit.send('DELETE', `/execute/${ids[0]}`)
    expect((await kit.post(bodyOf('again', MIB - 100))).status).toBe(202)
  })

  it('is not passed by keys that one waiting request is repeated with', async () => {
    for (const marker of ['first', 'second']) await kit.post(bodyOf(marker, MIB - 100))
    const small = bodyOf('small', MIB - 40_000)
    const send = (key: string): Promise<{ status: number }> =>
      kit.post(small, { 'idempotency-key': key.padEnd(128, 'x') })
    const statuses: number[] = []
    for (let n = 0; n < 120 && statuses.at(-1) !== 429; n++) statuses.push((await send(`k${n}_`)).status)
    expect([statuses[0], statuses.at(-1)]).toEqual([202, 429])
    expect((await send('k0_')).status).toBe(202)
  })

  it('counts what is read of code, which can be many times the code', async () => {
    const names = Array.from({ length: 40_000 }, (_, n) => `a${n.toString(36)}`)
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) {
      const code = `// ${n}\nconst {${names.join(',')}} = Deno.env.toObject()\n`
      statuses.push((await kit.post({ skill_id: 'facts', runtime: 'deno', code })).status)
    }
    expect(statuses).toEqual([202, 429, 429])
  })
})
