import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DoubleMessage } from '../support/bot-api-double.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { patience } from '../support/pace.ts'
import { ANN } from '../support/telegram-kit.ts'

const docker = await dockerOrSkip()

/**
 * The main job with every real part: an agent over HTTP, the Bot API at the wire, a real container, and OpenClaw's
 * wake hook. Each test asks with code of its own, so that no trust leaks from one into another.
 */
describe.skipIf(!docker.available)(`the whole way, with Docker ${docker.reason}`, () => {
  let kit: DaemonKit
  let serial = 0

  beforeAll(async () => {
    kit = await createDaemonKit()
    await kit.admin('PUT', '/v1/secrets/DEMO_KEY', { value: 'demo-value-for-the-full-pass' })
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  const fresh = (extra: Record<string, unknown> = {}): Record<string, unknown> => ({
    skill_id: `demo/full-pass-${++serial}`,
    code: `// run ${serial}\nconst key = Deno.env.get('DEMO_KEY')\nconsole.log('length', key.length, key)\nconsole.error('to stderr')\n`,
    secrets: [{ name: 'DEMO_KEY', mode: 'raw' }],
    metadata: { description: 'Proves that it has the key', timeout: 20 },
    ...extra,
  })
  const cardOf = (body: Record<string, unknown>): Promise<DoubleMessage> =>
    kit.telegram.waitForMessage(
      (message) => message.text.includes(String(body.skill_id)) && message.buttons.length > 0,
      10_000,
    )
  const press = (card: DoubleMessage, label: string): Promise<{ text: string }> =>
    kit.telegram.press(kit.chatId, card.messageId, label, ANN).answered
  const outcome = (requestId: string) => kit.get(`/execute/${requestId}?wait=30`)

  it('runs once after ✅ Run Once, tells the agent, and shows who decided and what came out', async () => {
    const body = fresh()
    const asked = await kit.post(body)
    expect(asked).toMatchObject({ status: 202, body: { status: 'pending' } })
    const card = await cardOf(body)
    expect(card.buttons).toEqual([
      ['✅ Run Once', '❌ Deny'],
      ['⏱ Trust 24h', '♾ Always Trust'],
      [`#️⃣ ${asked.body.code_hash.slice(0, 12)}…`],
    ])
    await press(card, '✅ Run Once')
    // The agent does not poll: it is woken, and only then fetches.
    const woken = await kit.telegram.waitFor(
      () =>
        kit.openclaw.calls.find(({ status, body }) => status === 200 && body.includes(asked.body.request_id)),
      'a wake that names the request',
      15_000,
    )
    expect(woken.body).not.toContain('length 28')
    const done = await outcome(asked.body.request_id)
    expect(done.body).toMatchObject({
      status: 'success',
      stdout: 'length 28 [secret:DEMO_KEY]\n',
      stderr: 'to stderr\n',
      exit_code: 0,
      trusted: false,
      truncated: false,
    })
    await kit.telegram.waitFor(() => card.text.includes('length 28'), 'the card shows the result')
    expect(card.text).toContain('Ann')
    expect(card.buttons).toEqual([])
    expect((await kit.send('POST', `/execute/${asked.body.request_id}/ack`)).status).toBe(200)
    expect((await kit.post(body)).status, 'the same again asks again').toBe(202)
  })

  it('does not run after ❌ Deny', async () => {
    const body = fresh()
    const asked = await kit.post(body)
    await press(await cardOf(body), '❌ Deny')
    expect((await outcome(asked.body.request_id)).body).toMatchObject({ status: 'denied' })
  })

  it('runs the same again without asking after ⏱ Trust 24h', async () => {
    const body = fresh()
    const asked = await kit.post(body)
    await press(await cardOf(body), '⏱ Trust 24h')
    expect((await outcome(asked.body.request_id)).body.status).toBe('success')
    expect(await kit.post(body)).toMatchObject({ status: 200, body: { status: 'success', trusted: true } })
    expect((await kit.post({ ...body, secrets: [] })).status, 'one secret less asks').toBe(202)
    const wider = await kit.post({ ...body, secrets: [{ name: 'DEMO_KEY', mode: 'raw' }, 'OTHER_KEY'] })
    expect(wider.status, 'one secret more asks').toBe(202)
    const card = await kit.telegram.waitForMessage(
      ({ text, buttons }) => text.includes('OTHER_KEY') && buttons.length > 0,
    )
    expect(card.text.split('\n').slice(0, 3).join('\n')).toContain('secret: + OTHER_KEY')
  })

  it('keeps ♾ Always Trust over a restart, and forgets it after /revoke', async () => {
    const body = fresh()
    const asked = await kit.post(body)
    await press(await cardOf(body), '♾ Always Trust')
    expect((await outcome(asked.body.request_id)).body.status).toBe('success')
    await kit.restart()
    expect(await kit.post(body)).toMatchObject({ status: 200, body: { trusted: true } })
    const grants = (await kit.admin('GET', '/v1/trust')).body.grants
    const grant = grants.find((one: { skill_id: string }) => one.skill_id === body.skill_id)
    kit.telegram.say(kit.chatId, `/revoke ${grant.id}`, ANN)
    await kit.telegram.waitFor(
      () => kit.telegram.messages.some(({ fromBot, text }) => fromBot && /revoked/i.test(text)),
      'the answer to /revoke',
    )
    expect((await kit.post(body)).status).toBe(202)
  })

  it('asks for other args, unless "any args" was chosen', async () => {
    const body = fresh({ args: { city: 'Rome' } })
    const asked = await kit.post(body)
    const card = await cardOf(body)
    expect(card.text).toContain('Rome')
    await press(card, '⏱ Trust 24h')
    await outcome(asked.body.request_id)
    const other = await kit.post({ ...body, args: { city: 'Oslo' } })
    expect(other.status).toBe(202)
    const second = await kit.telegram.waitForMessage(
      ({ text, buttons }) => text.includes('Oslo') && buttons.length > 0,
    )
    expect(second.text).toMatch(/args: other than approved/)
    await press(second, '⏱ 24h, any args')
    await outcome(other.body.request_id)
    expect(await kit.post({ ...body, args: { city: 'Lima' } })).toMatchObject({
      status: 200,
      body: { trusted: true },
    })
  })

  it('asks for a missing secret after the approval, then goes on by itself', async () => {
    const name = `LATE_KEY_${serial}`
    const body = fresh({
      code: `console.log(Deno.env.get('${name}').length)`,
      secrets: [{ name, mode: 'raw' }],
    })
    const asked = await kit.post(body)
    const card = await cardOf(body)
    expect(card.text).toContain(name)
    await press(card, '✅ Run Once')
    const prompt = await kit.telegram.waitForMessage(
      (message) => message.forceReply && message.text.includes(name),
    )
    expect((await kit.get(`/execute/${asked.body.request_id}`)).body.status).toBe('awaiting_secrets')
    const reply = kit.telegram.say(kit.chatId, 'late-value-1', ANN, { replyTo: prompt })
    expect((await outcome(asked.body.request_id)).body).toMatchObject({ status: 'success', stdout: '12\n' })
    expect(reply.deleted, 'the value does not stay in the chat').toBe(true)
  })

  it('shows code that does not fit as a document before the card', async () => {
    const code = `// long\n${'console.log(1) // filler of a long program\n'.repeat(300)}`
    const body = fresh({ code })
    await kit.post(body)
    const card = await cardOf(body)
    const document = kit.telegram.messages.find((message) =>
      message.document?.bytes.equals(Buffer.from(code)),
    )
    expect(document?.messageId).toBeLessThan(card.messageId)
    await press(card, '❌ Deny')
  })

  it('keeps a waiting request over a restart: the old button still works, once', async () => {
    const body = fresh()
    const asked = await kit.post(body)
    const card = await cardOf(body)
    await kit.restart()
    const [first, second] = await Promise.all([press(card, '✅ Run Once'), press(card, '♾ Always Trust')])
    expect([first.text, second.text].filter((text) => /already/i.test(text))).toHaveLength(1)
    expect((await outcome(asked.body.request_id)).body.status).toBe('success')
  })

  it(
    'loses nothing while Telegram is down',
    async () => {
      kit.telegram.down()
      const body = fresh()
      const asked = await kit.post(body)
      expect(asked.status).toBe(202)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      expect((await kit.get(`/execute/${asked.body.request_id}`)).body.status).toBe('pending')
      kit.telegram.up()
      const card = await kit.telegram.waitForMessage(
        ({ text, buttons }) => text.includes(String(body.skill_id)) && buttons.length > 0,
        60_000,
      )
      await press(card, '✅ Run Once')
      expect((await outcome(asked.body.request_id)).body.status).toBe('success')
    },
    patience(120_000),
  )

  it('reaches exactly the host and port that was approved', async () => {
    const bridge = (await new Docker().getNetwork('bridge').inspect()) as {
      IPAM: { Config: { Gateway?: string }[] }
    }
    const host = bridge.IPAM.Config[0]?.Gateway ?? '172.17.0.1'
    const upstream = createServer((_request, response) => response.end('hello from upstream'))
    await new Promise<void>((resolve) => upstream.listen(0, host, resolve))
    const { port } = upstream.address() as AddressInfo
    try {
      const other = kit.daemon.url.replace('127.0.0.1', host)
      const body = fresh({
        code: `console.log(await (await fetch('http://${host}:${port}/')).text())\nconst other = await fetch('${other}/health')\nconsole.log('refused:', other.status, (await other.json()).error.rule)`,
        secrets: [],
        metadata: { network: [`http://${host}:${port}`] },
      })
      const asked = await kit.post(body)
      const card = await cardOf(body)
      expect(card.text).toContain(`http://${host}:${port}`)
      await press(card, '✅ Run Once')
      expect((await outcome(asked.body.request_id)).body).toMatchObject({
        status: 'success',
        stdout: 'hello from upstream\nrefused: 403 host_not_approved\n',
      })
    } finally {
      upstream.close()
    }
  })

  it('answers the seed’s inspection commands in sqlite3', () => {
    const inspect = (sql: string): string =>
      execFileSync('sqlite3', [join(kit.folder, 'data', 'proxy.db'), sql], { encoding: 'utf8' })
    for (const table of ['approvals', 'executions', 'secrets', 'audit_log'])
      expect(inspect('.tables')).toContain(table)
    expect(
      inspect('SELECT * FROM executions ORDER BY created_at DESC LIMIT 10;').split('\n').length,
    ).toBeGreaterThan(5)
    expect(inspect('.dump')).not.toContain('demo-value-for-the-full-pass')
  })

  it('leaves an audit that verifies', async () => {
    expect((await kit.admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })
  })
})
