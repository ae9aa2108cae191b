import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import type { ProviderAsk, Use } from '../../src/llm/provider-access/index.ts'
import type { TelegramDeps } from '../../src/notify/telegram/index.ts'
import {
  type BotApiDouble,
  type DoubleMessage,
  type DoubleOptions,
  type DoubleUser,
  startBotApiDouble,
} from './bot-api-double.ts'
import { createDomainKit, type DomainKitOptions, requestOf } from './domain-kit.ts'

export const ANN: DoubleUser = { id: 1001, first_name: 'Ann' }
export const BOB: DoubleUser = { id: 1002, first_name: 'Bob' }
export const EVE: DoubleUser = { id: 6666, first_name: 'Eve' }
export const GROUP = -100_500

/** No flood control, so that tests do not wait for it. */
export const UNHURRIED: NonNullable<DoubleOptions['flood']> = {
  perSecond: 10_000,
  burst: 10_000,
  groupPerMinute: 10_000,
}

export interface TelegramKitOptions extends Omit<DomainKitOptions, 'dir' | 'telegramConfig'> {
  readonly dir?: string
  readonly double?: BotApiDouble
  readonly chatId?: number
  readonly approvers?: readonly DoubleUser[]
  readonly webhook?: TelegramDeps['config']['webhook']
  /** Left out: not started by itself. */
  readonly start?: boolean
}

const temporaryDir = (): string => mkdtempSync(join(tmpdir(), 'oauth3-telegram-'))

/** The Telegram surface over the real daemon's parts and the Bot API double; Ann's private chat unless another is named. */
export async function createTelegramKit(options: TelegramKitOptions = {}) {
  const dir = options.dir ?? temporaryDir()
  const ownDouble = options.double === undefined
  const double = options.double ?? (await startBotApiDouble({ flood: UNHURRIED }))
  const chatId = options.chatId ?? ANN.id
  if (ownDouble) double.addChat({ id: chatId, type: chatId < 0 ? 'supergroup' : 'private' })
  const approverIds = new Set((options.approvers ?? [ANN]).map((user) => String(user.id)))
  const logs: string[] = []
  const write = (level: string) => (entry: unknown, message?: string) => {
    const err = (entry as { err?: Error }).err
    logs.push(
      `${level} ${message ?? ''} ${JSON.stringify(entry)} ${err instanceof Error ? `${err.stack} ${JSON.stringify(err)}` : ''}`,
    )
  }
  const kit = await createDomainKit({
    ...options,
    dir,
    log: Object.assign(pino({ level: 'silent' }), {
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    }),
    telegramConfig: {
      token: new SecretValue(double.token),
      chatId: String(chatId),
      approverIds,
      apiRoot: double.root,
      webhook: options.webhook ?? null,
    },
    telegram: { pollSeconds: 20, pace: { burst: 1_000, perSecond: 1_000 }, ...options.telegram },
    health: async () => ({
      status: 'ok',
      telegram: 'connected',
      database: 'ok',
      database_engine: 'sqlite',
      disk: 'ok',
      sandbox: 'docker',
      version: '0.0.0',
      uptime_s: 61,
      notes: ['a <note>'],
    }),
  })
  const { telegram } = kit
  if (telegram === undefined) throw new Error('there is no Telegram')
  if (options.start !== false) telegram.start()
  let agent: Promise<Agent> | undefined
  const findOrAdd = async (): Promise<Agent> =>
    kit.agents.list().find((known) => known.name === 'demo-agent') ??
    (await kit.agents.add({ name: 'demo-agent' }, 'cli:0')).agent
  const agentOf = (): Promise<Agent> => {
    agent ??= findOrAdd()
    return agent
  }
  const submit = async (request: Partial<ExecuteRequest> = {}): Promise<Execution> =>
    kit.executions.submit(await agentOf(), requestOf(request))
  const hasButton = (message: DoubleMessage): boolean => message.buttons.length > 0
  return {
    ...kit,
    dir,
    double,
    chatId,
    telegram,
    logs,
    agentOf,
    submit,
    find: async (execution: Execution): Promise<Execution> =>
      (await kit.storage.read((tx) => kit.executions.find(tx, execution.requestId))) as Execution,
    /** Submits, and waits for the card. */
    async ask(request: Partial<ExecuteRequest> = {}): Promise<{ execution: Execution; card: DoubleMessage }> {
      const before = double.messages.length
      const execution = await submit(request)
      const card = await double.waitFor(() => double.messages.slice(before).find(hasButton), 'the card')
      return { execution, card }
    },
    /** Uses a provider without a grant, and waits for the card. */
    async wants(use: Partial<Use> = {}): Promise<{ ask: ProviderAsk; card: DoubleMessage }> {
      const before = double.messages.length
      const ask = await kit.llm.access.ask({
        agentId: (await agentOf()).id,
        provider: 'openai',
        model: 'gpt-5',
        group: 'inference',
        path: '/chat/completions',
        ...use,
      })
      const card = await double.waitFor(() => double.messages.slice(before).find(hasButton), 'the card')
      return { ask, card }
    },
    reaches: (execution: Execution, status: Execution['status']): Promise<Execution> =>
      double.waitFor<Execution>(async () => {
        const now = await kit.storage.read((tx) => kit.executions.find(tx, execution.requestId))
        return now?.status === status ? now : undefined
      }, `${execution.requestId} to be ${status}`),
    said: (part: string | RegExp): Promise<DoubleMessage> =>
      double.waitForMessage(
        (message) =>
          message.fromBot &&
          (typeof part === 'string' ? message.text.includes(part) : part.test(message.text)),
      ),
    async [Symbol.asyncDispose]() {
      await kit[Symbol.asyncDispose]()
      if (ownDouble) await double[Symbol.asyncDispose]()
    },
  }
}
