/** What the owner takes back is gone with the answer to the command: for the next request, and for one that waits. */
import { once } from 'node:events'
import { beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { chatBody } from '../support/llm-kit.ts'
import { CHAT, TAKEN_BACK, useRevocations, WAIT_0 } from '../support/revocation-kit.ts'
import { ANN } from '../support/telegram-kit.ts'

const world = useRevocations()
const { code, ask, streaming } = world

describe('a revoked agent', () => {
  it('is refused from the next request on', async () => {
    expect(await code()).toBeNull()
    await world.kit.revokeAgent(world.agent)
    const before = world.kit.vendors.calls.length
    for (const headers of [WAIT_0, {}]) expect((await ask(headers)).status).toBe(401)
    expect(world.kit.vendors.calls.length).toBe(before)
  })

  it('is given nothing more of a stream that is under way', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await world.kit.revokeAgent(world.agent)
    expect(await code()).toBe('unauthenticated')
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
    expect(await stream.read()).toBe('')
  })

  it('that waits for the owner is not let in by a press that comes after', async () => {
    const other = await world.kit.addAgent(`${world.agent}-waiting`)
    const before = world.kit.vendors.calls.length
    const waiting = world.kit.ask(CHAT, { token: other, body: chatBody() })
    const card = await world.kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(`${world.agent}-waiting`),
    )
    const data = card.callbacks.get('♾ Always') as string
    await world.kit.revokeAgent(`${world.agent}-waiting`)
    const answer = await waiting
    expect([401, 403]).toContain(answer.status)
    const press = await world.kit.daemon.telegram.pressRaw(world.kit.daemon.chatId, card.messageId, data, ANN)
      .answered
    expect(press.text).not.toMatch(/^Granted/)
    expect((await world.kit.ask(CHAT, { token: other, body: chatBody(), headers: WAIT_0 })).status).toBe(401)
    expect(world.kit.vendors.calls.length).toBe(before)
  })

  it('takes its grants along: an agent of the same name asks anew', async () => {
    await world.kit.revokeAgent(world.agent)
    world.token = await world.kit.addAgent(world.agent)
    expect(await code()).toBe('approval_pending')
  })
})

describe('a revoked grant', () => {
  it('ends with the command, also while a stream is under way', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await world.kit.revokeGrant(world.grant)
    expect(await code()).toBe('approval_pending')
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
    expect(await stream.read()).toBe('')
    await world.kit.daemon.restart()
    expect(await code()).toBe('approval_pending')
  })

  it('of somebody else ends no stream', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await world.kit.addAgent(`${world.agent}-beside`)
    await world.kit.revokeGrant(await world.kit.grant('openai', { agent: `${world.agent}-beside` }))
    await world.kit.revokeAgent(`${world.agent}-beside`)
    stream.finish()
    expect(await stream.read()).toContain('[DONE]')
  })

  it('is not brought back by a clock that goes back', async () => {
    const short = await world.kit.grant('openai', { agent: world.agent, forMs: 3_600_000 })
    expect(short).not.toBe(world.grant)
    for (const { id, agent: of } of (await world.kit.admin('GET', '/v1/provider-grants')).grants)
      if (of === world.agent && id !== short) await world.kit.revokeGrant(id)
    expect(await code()).toBeNull()
    world.kit.advance(3_600_001)
    expect(await code()).toBe('approval_pending')
    world.kit.advance(-3_600_001)
    expect(await code()).toBe('approval_pending')
  })
})

describe('a realtime session', () => {
  beforeAll(() => {
    const vendor = new WebSocketServer({ noServer: true })
    world.kit.vendors.onSocket('openai', (request, socket, head) =>
      vendor.handleUpgrade(request, socket, head, () => {}),
    )
  })

  const endsAfter = async (change: () => unknown): Promise<void> => {
    // What passes in a session is read by nobody, so it needs a key that no other agent may use.
    await world.kit.admin('PUT', `/v1/agents/${world.agent}/tags`, { tags: [world.agent] })
    await world.kit.addKey('openai', { tags: [world.agent] })
    world.grant = await world.kit.grant('openai', {
      agent: world.agent,
      groups: ['realtime'],
      forMs: 3_600_000,
    })
    const socket = new WebSocket(`${world.kit.url.replace('http', 'ws')}/llm/openai/v1/realtime`, {
      headers: { authorization: `Bearer ${world.token}` },
    })
    socket.on('error', () => {})
    await once(socket, 'open')
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(8_000) })
    await change()
    await closed
  }

  it('of an agent that is revoked ends', () => endsAfter(() => world.kit.revokeAgent(world.agent)))
  it('whose grant is revoked ends', () => endsAfter(() => world.kit.revokeGrant(world.grant)))
  it('whose grant runs out ends', () => endsAfter(() => world.kit.advance(3_600_001)))
})

describe('a rotated token', () => {
  const rotate = async (overlapMs: number): Promise<string> =>
    (await world.kit.admin('POST', `/v1/agents/${world.agent}/token`, { overlap_ms: overlapMs })).token

  it('keeps the grants of its agent; the old one is refused from the next request on, and ends its streams', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    const old = world.token
    world.token = await rotate(0)
    expect(await code()).toBeNull()
    expect((await world.kit.ask(CHAT, { token: old, body: chatBody(), headers: WAIT_0 })).status).toBe(401)
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
  })

  it('leaves the old one good as long as it was said, and its streams', async () => {
    const old = world.token
    world.token = await rotate(3_600_000)
    const ask = (by: string) => world.kit.ask(CHAT, { token: by, body: chatBody(), headers: WAIT_0 })
    for (const good of [old, world.token]) expect((await ask(good)).status).toBe(200)
    world.kit.advance(3_600_000)
    expect((await ask(old)).status).toBe(401)
    expect((await ask(world.token)).status).toBe(200)
  })
})
