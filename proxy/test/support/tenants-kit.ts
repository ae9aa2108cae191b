import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BotApiDouble, type DoubleMessage, startBotApiDouble } from './bot-api-double.ts'
import { adminCall, type DaemonKitOptions } from './daemon-kit.ts'
import { createLlmKit, type LlmKit } from './llm-kit.ts'
import { type CliHereOptions, type CliRun, runCliHere } from './run-cli.ts'
import { ANN, BOB, UNHURRIED } from './telegram-kit.ts'

type Answer = Awaited<ReturnType<typeof adminCall>>

/** One daemon with two tenants: the default one with Ann's chat and `acme` with Bob's, each with a bot and an agent of its own. */
export interface TenantsKit extends AsyncDisposable {
  readonly llm: LlmKit
  readonly own: TenantSide
  readonly acme: TenantSide
  restart(): Promise<void>
  cli(args: readonly string[], options?: CliHereOptions): Promise<CliRun>
}

export interface TenantSide {
  readonly bot: BotApiDouble
  readonly chatId: number
  /** Of its agent. */
  readonly token: string
  admin(method: string, path: string, body?: unknown): Promise<Answer>
  /** As its agent, to the agent API. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The next card of its chat that shows `text`. */
  card(text: string): Promise<DoubleMessage>
  press(card: DoubleMessage, label: string): Promise<{ text: string }>
}

export const ACME_BOT = '5151515151:demo-bot-token-of-acme'

export async function createTenantsKit(
  options: {
    readonly sandbox?: NonNullable<DaemonKitOptions['sandbox']>
    readonly environment?: Record<string, string>
  } = {},
): Promise<TenantsKit> {
  const ownBot = await startBotApiDouble({ flood: UNHURRIED })
  const acmeBot = await startBotApiDouble({ flood: UNHURRIED, token: ACME_BOT })
  ownBot.addChat({ id: ANN.id, type: 'private' })
  acmeBot.addChat({ id: BOB.id, type: 'private' })
  const telegram = await startTelegram([ownBot, acmeBot])
  const llm = await createLlmKit({
    ...(options.sandbox && { sandbox: options.sandbox }),
    environment: { TELEGRAM_API_ROOT: telegram.root, ...options.environment },
  })
  const socket = (): string => llm.daemon.daemon.adminSocketPath
  const sideOf = (name: string, bot: BotApiDouble, person: typeof ANN): TenantSide & { token: string } => {
    const side = {
      bot,
      chatId: person.id,
      token: llm.token,
      admin: (method: string, path: string, body?: unknown) =>
        adminCall(socket(), method, path, body, { 'x-oauth3-tenant': name }),
      async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
        const response = await fetch(llm.url + path, {
          method,
          headers: { authorization: `Bearer ${side.token}`, 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
        return { status: response.status, body: await response.json() }
      },
      card: (text: string) =>
        bot.waitForMessage((message) => message.text.includes(text) && message.buttons.length > 0),
      press: (card: DoubleMessage, label: string) =>
        bot.press(person.id, card.messageId, label, person).answered,
    }
    return side
  }
  const own = sideOf('default', ownBot, ANN)
  const acme = sideOf('acme', acmeBot, BOB)
  const added = await own.admin('POST', '/v1/tenants', {
    name: 'acme',
    chat: { token: ACME_BOT, chat_id: String(BOB.id) },
  })
  if (added.status !== 200) throw new Error(JSON.stringify(added.body))
  acme.token = (await acme.admin('POST', '/v1/agents', { name: 'claw' })).body.token
  llm.vendors.forbid(acme.token)
  return {
    llm,
    own,
    acme,
    restart: () => llm.daemon.restart(),
    cli: (args, more) => runCliHere(['--socket', socket(), ...args], more),
    async [Symbol.asyncDispose]() {
      await llm[Symbol.asyncDispose]()
      await telegram[Symbol.asyncDispose]()
      await ownBot[Symbol.asyncDispose]()
      await acmeBot[Symbol.asyncDispose]()
    },
  }
}

/** One address for several bots, as Telegram has. */
export async function startTelegram(bots: readonly BotApiDouble[]) {
  const server = createServer((incoming, response) => {
    const bot = bots.find(({ token }) => incoming.url?.startsWith(`/bot${token}/`)) ?? bots[0]
    const going = request(
      `${bot?.root}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      },
    )
    going.on('error', () => response.destroy())
    response.on('close', () => going.destroy())
    incoming.pipe(going)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
