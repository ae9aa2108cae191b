import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { CliError, type CliSurroundings, createTerminal, EXIT, type Terminal } from '../cli/index.ts'
import { ConfigError, readConfig } from '../config/index.ts'
import { createEngineClient } from '../sandbox/engine/index.ts'
import { giveName, sync } from '../storage/files/index.ts'
import { type BotSetup, setUpBot } from './bot-setup.ts'

const ENGINE_ANSWER_MS = 3_000
const MESSAGE_WAIT_MS = 5 * 60_000
const TELEGRAM_API_ROOT = 'https://api.telegram.org'

/** Asks for what a daemon needs, tries each answer, and writes `.env` (mode 0600) once all of it works. */
export async function runInit(around: CliSurroundings): Promise<number> {
  const terminal = createTerminal(around)
  if (!terminal.isInteractive) {
    const message = 'It asks, so it needs a terminal; elsewhere copy .env.example to .env and fill it in.'
    throw new CliError('usage', EXIT.usage, message)
  }
  const path = join(around.cwd, '.env')
  if (existsSync(path)) {
    throw new CliError('refused', EXIT.refused, `${path} exists already; edit it, or move it away first.`)
  }
  const apiRoot = around.env.TELEGRAM_API_ROOT?.replace(/\/+$/, '') || TELEGRAM_API_ROOT
  const { host, port } = await addressFor(terminal, around.env)
  const bot = await setUpBot(terminal, apiRoot, MESSAGE_WAIT_MS)
  const sandbox = await sandboxFor(terminal)
  const settings: Record<string, string> = {
    HOST: host,
    PORT: String(port),
    ...(bot === null ? {} : telegramSettings(bot, apiRoot)),
    OAUTH3_SANDBOX: sandbox,
  }
  assertReadable(settings)
  write(path, settings)
  await terminal.print(
    [
      `${path} is written, for you alone (0600).`,
      ...(sandbox === 'docker' ? ['npm run images        # builds the sandbox images, once'] : []),
      'npm start             # starts the daemon; it says what comes next',
    ].join('\n'),
  )
  return EXIT.done
}

const telegramSettings = (bot: BotSetup, apiRoot: string): Record<string, string> => ({
  TELEGRAM_BOT_TOKEN: bot.token,
  TELEGRAM_CHAT_ID: bot.chatId,
  TELEGRAM_APPROVER_IDS: bot.approverIds.join(','),
  ...(apiRoot === TELEGRAM_API_ROOT ? {} : { TELEGRAM_API_ROOT: apiRoot }),
})

async function addressFor(
  terminal: Terminal,
  { HOST, PORT }: NodeJS.ProcessEnv,
): Promise<{ host: string; port: number }> {
  // What the environment has wins over `.env` when the daemon starts.
  const offered = await freeFrom(HOST || '127.0.0.1', Number(PORT) || 3737)
  for (;;) {
    const typed = (await terminal.ask(`Where agents reach it (Enter for ${offered}) > `)) || offered
    const [, host = '', port = ''] = /^(.+):([0-9]{1,5})$/.exec(typed) ?? []
    const problem =
      host === '' || Number(port) < 1 || Number(port) > 65_535
        ? 'It takes HOST:PORT, such as 127.0.0.1:3737.'
        : await bindProblem(host, Number(port))
    if (problem === null) return { host, port: Number(port) }
    terminal.note(problem)
  }
}

/** The first of a few ports that is free there; the first of all where none is. */
async function freeFrom(host: string, first: number): Promise<string> {
  for (const port of [first, first + 1, first + 2])
    if (port <= 65_535 && (await bindProblem(host, port)) === null) return `${host}:${port}`
  return `${host}:${first}`
}

/** Tries to listen there, as the daemon will. */
const bindProblem = (host: string, port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'EADDRINUSE'
          ? `${host}:${port} is taken by another program.`
          : `This machine cannot listen at ${host}:${port} (${error.code}); its addresses: ip -br addr`,
      ),
    )
    server.listen(port, host, () => server.close(() => resolve(null)))
  })

async function sandboxFor(terminal: Terminal): Promise<'docker' | 'embedded'> {
  try {
    await createEngineClient({ timeout: ENGINE_ANSWER_MS }).ping()
    terminal.note('A Docker engine answers: code will run in containers.')
    return 'docker'
  } catch (error) {
    terminal.note(
      `No Docker engine answers (${String((error as NodeJS.ErrnoException).code ?? 'no answer')}).`,
    )
    const question = 'Run code in the embedded sandbox, whose walls are weaker? No keeps docker'
    return (await terminal.confirm(question)) ? 'embedded' : 'docker'
  }
}

/** As the daemon will read them; a mistake here would be its refusal to start. */
function assertReadable(settings: Record<string, string>): void {
  try {
    readConfig(settings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new CliError('failed', EXIT.failed, `${error.message} Nothing was written.`)
  }
}

/**
 * Whole and on disk, or not at all, and never over a file that came meanwhile. A disk that is full shows itself at the draft
 * (delayed allocation: at its fsync), which holds the bot's token and goes away again.
 */
function write(path: string, settings: Record<string, string>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  const text = `# Made by oauth3 init. All settings: docs/reference/configuration.md\n${lines.join('\n')}\n`
  const draft = `${path}.draft`
  try {
    // Left by a crash in the middle of this very step.
    rmSync(draft, { force: true })
    try {
      writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
      giveName(draft, path)
    } finally {
      rmSync(draft, { force: true })
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CliError('failed', EXIT.failed, `${path} was not written: ${why}`)
  }
  sync(dirname(path))
}
