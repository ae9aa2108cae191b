import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import type { AppError } from '../../kernel/index.ts'
import type { AccountCaller } from './caller.ts'
import { answerOpenAiError, createChatCompletions } from './chat-completions.ts'
import { chosenInstance } from './instances-of.ts'

let server: Server | undefined
afterEach(() => void server?.close().closeAllConnections())

/** Asks an agent that says what `complete` does. */
async function send(complete: () => AsyncGenerator<string, object>, stream: boolean, still: () => boolean) {
  const hosting = { list: async () => [{ machine: { name: 'claw', spec: {} } }], complete }
  const caller = { of: { hosting, tenant: 'tnt_1' } } as unknown as AccountCaller
  const chats = createChatCompletions({ now: () => 0 })
  const body = { model: 'claw', messages: [{ role: 'user', content: 'hello' }], stream }
  server = createServer((_request, response) => {
    chats
      .answer(body, caller, still, response)
      .catch((error: unknown) => answerOpenAiError(response, error as AppError))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server?.once('listening', resolve))
  // Not awaited: it comes when the agent says so.
  return { answered: fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) }
}

/** Asks an agent that says one piece, waits for `goOn`, and says another. */
async function ask(stream: boolean) {
  let [isStill, isOver] = [true, false]
  const { promise: waits, resolve: goOn } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  async function* complete() {
    try {
      begin()
      yield 'one'
      await waits
      yield 'two'
      return { isCut: false, usage: null }
    } finally {
      isOver = true
    }
  }
  const { answered: answer } = await send(complete, stream, () => isStill)
  await begun
  return {
    ...{ answer, goOn },
    signOut: () => {
      isStill = false
    },
    isOver: () => isOver,
  }
}

it('tells nothing more to a caller who is signed out meanwhile, and lets the agent go', async () => {
  const { answer, goOn, signOut, isOver } = await ask(true)
  const reader = (await answer).body?.getReader()
  await reader?.read()
  signOut()
  goOn()
  const rest: string[] = []
  await expect(
    (async () => {
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
        rest.push(Buffer.from(next.value).toString())
    })(),
  ).rejects.toThrow()
  expect(rest.join('')).not.toContain('two')
  // What holds a machine awake for it is given back.
  await vi.waitFor(() => expect(isOver()).toBe(true))
})

it('tells nothing at all where the whole was asked for', async () => {
  const { answer, goOn, signOut, isOver } = await ask(false)
  signOut()
  goOn()
  const response = await answer
  expect(response.status).toBe(401)
  expect(await response.text()).not.toContain('two')
  await vi.waitFor(() => expect(isOver()).toBe(true))
})

it('ends an agent that says more than can be given whole', async () => {
  let said = 0
  let isOver = false
  async function* complete() {
    try {
      for (; said < 64; said += 1) yield 'x'.repeat(65_536)
      return { isCut: false, usage: null }
    } finally {
      isOver = true
    }
  }
  const { answered } = await send(complete, false, () => true)
  const answer = await answered
  expect(answer.status).toBe(413)
  expect(await answer.json()).toMatchObject({ error: { code: 'too_large' } })
  await vi.waitFor(() => expect(isOver).toBe(true))
  expect(said).toBeLessThan(20)
})

it('chooses no agent that is being removed, where none is named or by its name', async () => {
  const machine = (name: string, desired: string) => ({
    machine: { id: `mch_${name}`, name, desired, spec: {} },
  })
  const of = {
    hosting: { list: async () => [machine('old', 'deleted'), machine('new', 'awake')] },
  } as unknown as Parameters<typeof chosenInstance>[0]
  expect((await chosenInstance(of, undefined)).machine.name).toBe('new')
  for (const named of ['old', 'mch_old'])
    await expect(chosenInstance(of, named)).rejects.toMatchObject({ code: 'not_found' })
})
