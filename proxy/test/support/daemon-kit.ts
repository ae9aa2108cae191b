import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Daemon, type DaemonOptions, startDaemon } from '../../src/compose/daemon.ts'
import { readConfig } from '../../src/config/index.ts'
import { type BotApiDouble, startBotApiDouble } from './bot-api-double.ts'
import { createOpenclawDouble, type OpenclawDouble } from './openclaw-double.ts'
import { sharedReader } from './shared-reader.ts'
import { ANN, UNHURRIED } from './telegram-kit.ts'
import { engineSettings, placeDatabase } from './test-engine.ts'

/** The whole daemon on real sockets and a real file, with Telegram and OpenClaw played at the wire. */
export interface DaemonKit extends AsyncDisposable {
  readonly folder: string
  readonly telegram: BotApiDouble
  readonly openclaw: OpenclawDouble
  readonly chatId: number
  daemon: Daemon
  token: string
  /** Stops the daemon and starts another on the same files. */
  restart(): Promise<void>
  post(body: unknown, headers?: Record<string, string>): Promise<Answer>
  get(path: string): Promise<Answer>
  send(method: string, path: string): Promise<Answer>
  /** One call on the owner's socket. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly body: any
}

export interface DaemonKitOptions extends DaemonOptions {
  readonly environment?: Record<string, string>
  /** What the agent of the kit is called, where the database has one already. */
  readonly agent?: string
}

/** As the double of Telegram has it. */
const UNHURRIED_CHAT = { burst: 100, perSecond: 100 }

const HOOK_TOKEN = 'demo-hook-token-for-tests'

export async function createDaemonKit(options: DaemonKitOptions = {}): Promise<DaemonKit> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-daemon-'))
  const telegram = await startBotApiDouble({ flood: UNHURRIED })
  telegram.addChat({ id: ANN.id, type: 'private' })
  const openclaw = await createOpenclawDouble({ token: HOOK_TOKEN })
  const config = readConfig({
    PORT: '0',
    DB_PATH: join(folder, 'data', 'proxy.db'),
    LOG_LEVEL: 'silent',
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_CHAT_ID: String(ANN.id),
    TELEGRAM_API_ROOT: telegram.root,
    OPENCLAW_HOOK_URL: openclaw.url,
    OPENCLAW_HOOK_TOKEN: HOOK_TOKEN,
    OAUTH3_RATE_LIMIT: '10000',
    ...(await engineSettings(folder)),
    ...options.environment,
  })
  placeDatabase(config)
  const start = (): Promise<Daemon> =>
    startDaemon(config, { telegram: { pace: UNHURRIED_CHAT }, programReader: sharedReader(), ...options })

  const kit: DaemonKit = {
    folder,
    telegram,
    openclaw,
    chatId: ANN.id,
    daemon: await start(),
    token: '',
    async restart() {
      await kit.daemon.stop()
      kit.daemon = await start()
    },
    post: (body, headers) => call('POST', '/execute', body, headers),
    get: (path) => call('GET', path),
    send: (method, path) => call(method, path),
    admin: (method, path, body) => adminCall(kit.daemon.adminSocketPath, method, path, body),
    async [Symbol.asyncDispose]() {
      await kit.daemon.stop()
      await telegram[Symbol.asyncDispose]()
      await openclaw[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(kit.daemon.url + path, {
      method,
      headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json() }
  }
  kit.token = (await kit.admin('POST', '/v1/agents', { name: options.agent ?? 'claw' })).body.token
  return kit
}

export function adminCall(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string | string[]> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...{ socketPath, method, path, headers: { 'content-type': 'application/json', ...headers } },
        // A connection that is kept may be one of a daemon that was restarted meanwhile.
        agent: false,
      },
      (response) =>
        text(response).then(
          (answer) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) }),
          reject,
        ),
    )
    call.once('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
