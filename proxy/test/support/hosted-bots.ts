/** Bots in Telegram of hosted agents, at one address as Telegram has it. */
import { randomBytes } from 'node:crypto'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { type BotApiDouble, startBotApiDouble } from './bot-api-double.ts'
import { dumpContainer } from './container-dump.ts'
import { findSecret } from './secret-search.ts'
import { ANN, UNHURRIED } from './telegram-kit.ts'
import { startTelegram } from './tenants-kit.ts'

type Call = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ status: number; body: { code?: string } }>

export interface HostedBots<Name extends string> extends AsyncDisposable {
  /** For TELEGRAM_API_ROOT. */
  readonly root: string
  readonly bots: Readonly<Record<Name, BotApiDouble>>
  /** One more at the same address, which goes with its own owner. */
  serve(bot: BotApiDouble): void
  /** Gives the agent the bot, and pairs it with Ann. */
  pair(call: Call, agent: string, bot: BotApiDouble): Promise<void>
}

export async function startHostedBots<Name extends string>(
  ...names: readonly Name[]
): Promise<HostedBots<Name>> {
  const made = names.map(async (name, at) => {
    const token = `61616161${at}:${randomBytes(16).toString('hex')}`
    const bot = await startBotApiDouble({ token, flood: UNHURRIED })
    bot.addChat({ id: ANN.id, type: 'private' })
    return [name, bot] as const
  })
  const bots = Object.fromEntries(await Promise.all(made)) as Record<Name, BotApiDouble>
  const doubles = Object.values<BotApiDouble>(bots)
  const served = [...doubles]
  const telegram = await startTelegram(served)
  return {
    ...{ root: telegram.root, bots },
    serve: (bot) => void served.push(bot),
    async pair(call, agent, bot) {
      const { status } = await call('POST', `/hosts/${agent}/telegram`, { token: bot.token })
      if (status !== 200) throw new Error(`the bot of ${agent} was not taken: ${status}`)
      const { code } = (await call('POST', `/hosts/${agent}/telegram/code`)).body
      const { messageId } = bot.say(ANN.id, `/start ${code}`, ANN)
      await bot.waitForMessage(
        (one) => one.messageId > messageId && one.text.includes(`You talk to ${agent}`),
      )
    },
    async [Symbol.asyncDispose]() {
      for (const one of [telegram, ...doubles]) await one[Symbol.asyncDispose]()
    },
  }
}

/** Its containers and volumes, whatever their state. */
export async function thingsOf(machine: string): Promise<number> {
  const engine = createEngineClient()
  const filters = { label: [`oauth3.machine=${machine}`] }
  const { Volumes } = await engine.listVolumes({ filters })
  return (await engine.listContainers({ all: true, filters })).length + (Volumes ?? []).length
}

/** Where in a machine that is up, but for the files of its image, a value stands. */
export async function findInMachine(machine: string, value: string): Promise<readonly string[]> {
  const engine = createEngineClient()
  const [container] = await engine.listContainers({ filters: { label: [`oauth3.machine=${machine}`] } })
  if (container === undefined) throw new Error(`machine ${machine} is not up`)
  const { places } = await dumpContainer(engine.getContainer(container.Id), false)
  return findSecret(places, value)
}
