import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { newAgentId } from '../../kernel/index.ts'
import { createScrubber } from '../../scrub/index.ts'
import { createPolicy } from '../index.ts'
import type { Arrival } from './egress-endpoint.ts'
import { whenAnswered } from './held-requests.ts'

it.each([false, true])(
  'comes to nothing when its client leaves first (%s), whatever is answered then',
  async (leaves) => {
    const policy = createPolicy({ owner: newAgentId(), network: [], secrets: [] }, () =>
      createScrubber(new Map()),
    )
    const { promise: answered, resolve: answer } = Promise.withResolvers<string | null>()
    const asked: { host: string; signal: AbortSignal }[] = []
    const asker = {
      ask(target: { readonly host: string }, signal: AbortSignal) {
        asked.push({ host: target.host, signal })
        return answered
      },
    }
    const client = new EventEmitter()
    const went: unknown[] = []
    whenAnswered(
      { method: 'GET', url: 'http://api.demo.test/x', rawHeaders: ['Host', 'api.demo.test'] },
      client,
      { endpoint: { session: { policy, asker } }, tunnel: null } as unknown as Arrival,
      (error) => went.push(error),
      (why) => went.push(why),
    )
    expect(asked).toMatchObject([{ host: 'api.demo.test', signal: { aborted: false } }])
    if (leaves) client.emit('close')
    expect(asked[0]?.signal.aborted).toBe(leaves)
    answer(null)
    await answered
    await nextTurn()
    expect(went).toEqual(leaves ? [] : [null])
  },
)
