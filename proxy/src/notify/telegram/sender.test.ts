import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeEngines, type TestDatabase } from '../../../test/support/engines.ts'
import type { AgentId } from '../../kernel/index.ts'
import { createOutbox, type Outbox } from '../outbox/index.ts'
import { createOutboxStore } from '../outbox/outbox-store.ts'
import type { TelegramDeps } from './deps.ts'
import { noticeLane, personLane, replyLane, updateLane } from './lanes.ts'
import { createSender, type Sender } from './sender.ts'

const CHAT = '1001'

/** Closed until it is opened; tells when somebody has come to it. */
function createLatch() {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  return {
    reached,
    open,
    async pass(): Promise<void> {
      reach()
      await opened
    },
  }
}

describeEngines('the sender', (kit) => {
  let db: TestDatabase
  let outbox: Outbox
  let sender: Sender
  let sent: string[]
  /** Where the next look at the outbox waits once it has read it. */
  let lookLatch: ReturnType<typeof createLatch> | undefined
  /** Where the next message waits for Telegram. */
  let chatLatch: ReturnType<typeof createLatch> | undefined

  beforeEach(async () => {
    db = await kit.fresh({ stores: { outbox: createOutboxStore } })
    ;[sent, lookLatch, chatLatch] = [[], undefined, undefined]
    outbox = createOutbox({ storage: db.storage, clock: { now: () => 1_000_000 } })
    const deps = {
      api: {
        async call(_method: string, { text }: { text: string }) {
          const latch = chatLatch
          chatLatch = undefined
          sent.push(text)
          await latch?.pass()
          return { message_id: sent.length }
        },
      },
      outbox: {
        ...outbox,
        async due(prefix: string) {
          const latch = lookLatch
          lookLatch = undefined
          const found = await outbox.due(prefix)
          await latch?.pass()
          return found
        },
      },
      storage: db.storage,
      chat: { id: CHAT, configured: null, moveTo: async () => false },
      audit: { append: async () => {} },
      follow: async () => false,
      clock: { now: () => 1_000_000 },
      log: { info() {}, warn() {}, error() {} },
      pace: { burst: 10_000, perSecond: 10_000 },
    }
    sender = createSender(deps as unknown as TelegramDeps & Parameters<typeof createSender>[0])
    // Nobody looks because time passes: only what was queued or sent is a reason.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
  })
  afterEach(async () => {
    vi.useRealTimers()
    await sender[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })

  const queue = async (lane: string, ...texts: string[]): Promise<void> => {
    await db.storage.transaction(async (tx) => {
      for (const html of texts) await outbox.enqueue(tx, lane, 'notice', { html })
    })
    sender.nudge()
  }
  const emptied = async (): Promise<void> => {
    let [at, before] = [performance.now(), sent.length]
    while ((await outbox.waiting('')) > 0) {
      if (sent.length > before) [at, before] = [performance.now(), sent.length]
      // It hangs: nothing else would end it.
      if (performance.now() - at > 8_000) throw new Error('the sender sleeps over what waits')
      await turn()
    }
    await sender.settled()
  }

  it('sends each message once and each lane in order, while more is queued', async () => {
    sender.start()
    const lanes = [personLane(CHAT), replyLane(CHAT), updateLane(CHAT, 'a'), updateLane(CHAT, 'b')]
    await Promise.all(
      lanes.map(async (lane) => {
        for (let n = 0; n < 5; n += 1) await queue(lane, `${lane} ${2 * n}`, `${lane} ${2 * n + 1}`)
      }),
    )
    await emptied()
    for (const lane of lanes) {
      const wanted = Array.from({ length: 10 }, (_, n) => `${lane} ${n}`)
      expect(sent.filter((text) => text.startsWith(`${lane} `))).toEqual(wanted)
    }
    expect(sent).toHaveLength(40)
  })

  it('looks again after a look during which something was queued', async () => {
    const latch = createLatch()
    lookLatch = latch
    sender.start()
    await latch.reached
    await queue(replyLane(CHAT), 'late')
    latch.open()
    await emptied()
    expect(sent).toEqual(['late'])
  })

  it('sends what is more urgent of a lane whose message went out while the outbox was read', async () => {
    const chat = createLatch()
    const look = createLatch()
    await queue(replyLane(CHAT), 'first', 'second')
    await queue(noticeLane(CHAT, 'a' as AgentId), 'nobody has to answer this')
    chatLatch = chat
    sender.start()
    await chat.reached
    lookLatch = look
    sender.nudge()
    await look.reached
    chat.open()
    while ((await outbox.waiting('')) > 2) await turn()
    await sender.settled()
    look.open()
    await emptied()
    expect(sent).toEqual(['first', 'second', 'nobody has to answer this'])
  })

  it('sends nothing again that was settled while the outbox was read', async () => {
    const chat = createLatch()
    const look = createLatch()
    await queue(replyLane(CHAT), 'first')
    chatLatch = chat
    sender.start()
    await chat.reached
    lookLatch = look
    sender.nudge()
    await look.reached
    chat.open()
    await emptied()
    await turn()
    look.open()
    await queue(replyLane(CHAT), 'second')
    await emptied()
    expect(sent).toEqual(['first', 'second'])
  })

  it('has recorded what Telegram took when it has stopped', async () => {
    const chat = createLatch()
    await queue(replyLane(CHAT), 'first', 'second')
    chatLatch = chat
    sender.start()
    await chat.reached
    const stopped = sender[Symbol.asyncDispose]()
    chat.open()
    await stopped
    expect(sent).toEqual(['first'])
    expect((await outbox.queued(replyLane(CHAT))).map(({ payload }) => payload)).toEqual([{ html: 'second' }])
  })
})
