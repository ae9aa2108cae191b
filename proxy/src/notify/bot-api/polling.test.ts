import { describe, expect, it } from 'vitest'
import type { BotApi, BotUpdate } from './bot-api.ts'
import { BotApiError } from './bot-errors.ts'
import { createPolling } from './polling.ts'

const LOG = { info() {}, warn() {}, error() {} } as never

/** A Bot API that has one update and keeps the offsets it was asked with. */
function scripted(answer: (offset: number) => readonly BotUpdate[]) {
  const offsets: number[] = []
  const api: BotApi = {
    call: async (
      method: string,
      payload: Record<string, unknown> = {},
      options: { signal?: AbortSignal } = {},
    ) => {
      if (method !== 'getUpdates') return true as never
      offsets.push(payload.offset as number)
      const updates = answer(payload.offset as number)
      if (updates.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      if (options.signal?.aborted) throw new BotApiError(method, 0, 'aborted')
      return updates as never
    },
    sendDocument: () => Promise.reject(new Error('not in this test')),
    dispatch: async () => {},
    me: undefined,
    identify: async () => ({ id: 1, is_bot: true }),
  }
  return { api, offsets }
}

describe('long polling', () => {
  it('does not confirm an update while it is being handled', async () => {
    const update: BotUpdate = { update_id: 41 }
    const { api, offsets } = scripted((offset) => (offset <= 41 ? [update] : []))
    const handled = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const polling = createPolling({
      api,
      log: LOG,
      prepare: async () => {},
      handle: () => {
        begun.resolve()
        return handled.promise
      },
    } as never)
    polling.start()
    await begun.promise
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(offsets).toEqual([0])
    handled.resolve()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(offsets[1]).toBe(42)
    await polling[Symbol.asyncDispose]()
  })

  it('confirms what it handled when it is stopped', async () => {
    const { api, offsets } = scripted((offset) => (offset <= 7 ? [{ update_id: 7 }] : []))
    const handled: number[] = []
    const polling = createPolling({
      api,
      log: LOG,
      prepare: async () => {},
      handle: async (update: BotUpdate) => void handled.push(update.update_id),
    } as never)
    polling.start()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await polling[Symbol.asyncDispose]()
    expect(handled).toEqual([7])
    expect(offsets.at(-1)).toBe(8)
  })
})
