import { randomBytes } from 'node:crypto'
import { SecretValue } from '../../src/kernel/index.ts'
import { startClaudeRuns } from './claude-runs-kit.ts'
import { createMessagesApi, type MessagesCall, type Reply, say, use } from './messages-api-double.ts'

type Json = Record<string, unknown>

/** What the model says to the calls of one prompt, by their number from 0. */
export type ModelPlay = (call: MessagesCall, at: number) => Reply | Promise<Reply>

/**
 * Everything real but the model: apps' port, queue, containers of the real CLI, LLM proxy. The model plays by the prompt that it finds in the
 * call: several runs at once keep their own.
 */
export async function startClaudeChain(environment: Record<string, string> = {}) {
  const plays = new Map<string, { readonly play: ModelPlay; at: number }>()
  const api = createMessagesApi(async (call) => {
    const found = [...plays].findLast(([mark]) => call.raw.includes(mark))?.[1]
    if (found === undefined) return say('a prompt that nobody plays')
    const at = found.at
    found.at += 1
    return await found.play(call, at)
  })
  const origin = await api.listen()
  const kit = await startClaudeRuns({
    isReal: true,
    environment: { CLAWDFORGE_POOL_SIZE: '0', ...environment },
  })
  /** The owner's, at the vendor. */
  const key = `vendor-${randomBytes(24).toString('hex')}`
  await kit.llm.providers.setParam('anthropic', 'url', origin, 'cli:0', { private: true })
  await kit.storage.transaction((tx) =>
    kit.llm.keys.add(tx, { provider: 'anthropic', tags: [], value: new SecretValue(key) }, 'cli:0'),
  )
  /** The owner's subscription there. */
  const seat = `sk-ant-oat01-${randomBytes(24).toString('hex')}`
  await kit.storage.transaction((tx) =>
    kit.llm.keys.add(tx, { provider: 'anthropic', isSeat: true, value: new SecretValue(seat) }, 'cli:0'),
  )
  const run = async (token: string, body: object, play: ModelPlay) => {
    const mark = `mark-${randomBytes(12).toString('hex')}`
    plays.set(mark, { play, at: 0 })
    const { prompt = '', ...rest } = body as { prompt?: string }
    const response = await kit.postRun(token, { prompt: `${prompt}${mark}`, ...rest })
    const view = (await response.json()) as Json
    const calls = api.calls.filter(({ raw }) => raw.includes(mark))
    return { mark, view, status: response.status, calls, requests: (view.usage as Json)?.requests }
  }
  return {
    ...{ kit, api, key, seat, run },
    /** A run whose model has one command carried out; `output`: what came back to the model. */
    async bash(token: string, command: string, body: object = {}) {
      const ran = await run(token, { tools: ['Bash'], ...body }, (_call, at) =>
        at === 0 ? use('Bash', { command, description: 'x' }) : say('done'),
      )
      return { ...ran, output: JSON.stringify(ran.calls.at(-1)?.body.messages.at(-1) ?? null) }
    },
    async [Symbol.asyncDispose]() {
      await kit[Symbol.asyncDispose]()
      await api[Symbol.asyncDispose]()
    },
  }
}

export type ClaudeChain = Awaited<ReturnType<typeof startClaudeChain>>
