import type { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { Argument, Command, CommanderError, Option } from 'commander'
import { ERROR_TABLE, oneLine } from '../kernel/index.ts'
import { CliError, EXIT, usageError } from './cli-error.ts'
import { COMMAND_MODULES, modulesFor } from './command-table.ts'
import type { InstallationPrograms } from './commands/installation.ts'
import type { MigratePrograms } from './commands/migrate.ts'
import { examples, HELP_LAYOUT, helpTexts, paragraph } from './help.ts'
import { type CliSurroundings, safeJson } from './terminal.ts'
import { TERMINAL_COLUMNS } from './text-layout.ts'

/** What is started in this process itself, handed in by main.ts: the CLI knows the daemon's socket only. */
interface CliPrograms extends InstallationPrograms, MigratePrograms {
  readonly version: string
  /** Resolves to the exit code once the daemon has stopped. */
  daemon(): Promise<number>
  demo(options: { what: DemoPlay; approve: DemoAnswer | undefined }): Promise<number>
  /** Asks for what a daemon needs, and writes it. */
  init(): Promise<number>
  /** Builds every sandbox image into the Docker engine; throws with a message for a person. */
  images(options: { base: string | undefined }): Promise<number>
}

/** For command lines inside another program, which start nothing and touch no files. */
export function noPrograms(version: string): CliPrograms {
  const none = async (): Promise<never> => {
    throw new CliError('failed', EXIT.failed, 'This command does not run in here.')
  }
  return {
    version,
    daemon: none,
    demo: none,
    init: none,
    images: none,
    backup: none,
    restore: none,
    migrate: none,
    uninstall: none,
  }
}

const DEMO_ANSWERS = ['once', '24h', 'forever', 'deny'] as const
export type DemoAnswer = (typeof DEMO_ANSWERS)[number]
const DEMO_PLAYS = ['code', 'run', 'host'] as const
export type DemoPlay = (typeof DEMO_PLAYS)[number]

const ERROR_LINE_LIMIT = 600

/** Runs one command line; resolves to its exit code and never throws. */
export async function runCli(
  argv: readonly string[],
  around: CliSurroundings,
  programs: CliPrograms,
): Promise<number> {
  let exitCode: number = EXIT.done
  const exitWith = (code: number): void => {
    exitCode = code
  }
  const isJson = argv.includes('--json')
  try {
    const modules = modulesFor(argv, OWN_COMMANDS)
    const program = await buildProgram(around, programs, exitWith, { modules, isJson })
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    const failure = asCliError(error)
    if (failure === undefined) return EXIT.done
    const lines = linesOf(failure)
    const line = lines.join(' ')
    const body = {
      code: failure.code,
      message: line,
      exit_code: failure.exitCode,
      ...(failure.details === undefined ? {} : { details: failure.details }),
    }
    around.stderr.write(
      isJson ? `${safeJson({ error: body })}\n` : lines.map((one) => `oauth3: ${one}\n`).join(''),
    )
    return failure.exitCode
  }
}

/** One line, but for settings: a line for each that is wrong. */
function linesOf({ code, message, details }: CliError): string[] {
  const several = code === 'config' && Array.isArray(details) ? details.map(String) : [message]
  return several.map((one) => oneLine(one, ERROR_LINE_LIMIT))
}

/** Commands that are started in this process and defined in this file. */
const OWN_COMMANDS: readonly string[] = ['daemon', 'demo', 'init', 'images']

async function buildProgram(
  around: CliSurroundings,
  programs: CliPrograms,
  exitWith: (code: number) => void,
  { modules = COMMAND_MODULES, isJson = false } = {},
): Promise<Command> {
  const program = new Command('oauth3')
    .description('Human-approved secrets and sandboxed execution for AI agents.')
    .version(programs.version)
    .option('--json', 'results on standard output and errors on standard error as JSON')
    .option('--tenant <name>', 'whom the command is about (default: OAUTH3_TENANT, else default)')
    .option('--socket <path>', "the daemon's socket (default: OAUTH3_SOCKET, else beside DB_PATH)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void around.stdout.write(text),
      // Help, where a command was left out: a program reads the error alone.
      writeErr: (text) => void (isJson || around.stderr.write(text)),
      getOutHelpWidth: () => around.stdout.columns || Number(around.env.COLUMNS) || TERMINAL_COLUMNS,
      // Printed once, by runCli, as the one line that every error is.
      outputError: () => {},
    })
    .configureHelp({ ...HELP_LAYOUT, showGlobalOptions: true })
    // Commander would repeat what is too much; that may be a value.
    .allowExcessArguments(true)
    .hook('preAction', (_program, command) => {
      assertNotTooMany(command)
      assertNotEmpty(command)
    })
    .addHelpText(
      'after',
      helpTexts(
        examples(
          ['oauth3 init', 'asks for what the daemon needs, once'],
          ['npm start', 'the daemon; then, in another terminal:'],
          ['oauth3 secret add OPENAI_API_KEY --hosts api.openai.com', 'store a secret'],
          ['oauth3 agent add clawd', 'a token for your agent'],
          ['oauth3 pending', 'what waits for you'],
          ['oauth3 watch', 'what waits, live; answer it there'],
          ['oauth3 show req_1f0c', 'the card and the whole code'],
          ['oauth3 approve req_1f0c --once', 'let it run'],
          ['oauth3 key add openai', "a provider's key, which agents use without seeing it"],
          ['oauth3 agent add clawd --print env', 'a token, and how its SDKs reach the providers'],
        ),
        paragraph('Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not running, 4 not found, 5 refused.'),
      ),
    )

  program
    .command('daemon')
    .description('start the daemon, configured by the environment and .env')
    .action(async () => exitWith(await programs.daemon()))
  program
    .command('demo')
    .description('watch the whole thing work in a temporary folder')
    .addArgument(
      new Argument(
        '[what]',
        'code: an agent asks to run some; run: an app has Claude Code run a prompt; host: an agent that lives here',
      )
        .choices(DEMO_PLAYS)
        .default('code'),
    )
    .addOption(new Option('--approve <answer>', 'answer without asking').choices(DEMO_ANSWERS))
    .action(async (what: DemoPlay, { approve }: { approve?: DemoAnswer }) =>
      exitWith(await programs.demo({ what, approve })),
    )
  program
    .command('init')
    .description('asks for what the daemon needs, tries it, and writes .env')
    .action(async () => exitWith(await programs.init()))
  program
    .command('images')
    .description('build the sandbox images into the Docker engine')
    .option('--base <image>', 'image that lends its C library (default: debian:bookworm-slim)')
    .action(async (options: { base?: string }) => exitWith(await programs.images({ base: options.base })))
  if (modules.length === 0) return program
  const [{ createContext }, ...groups] = await Promise.all([
    import('./context.ts'),
    ...modules.map(({ load }) => load()),
  ])
  const context = createContext(around, () => program.opts())
  for (const add of groups) add(program, context, programs)
  return program
}

/** The help of every command, for the generated reference. */
export async function commandHelp(): Promise<readonly { readonly name: string; readonly help: string }[]> {
  const written: string[] = []
  const stream = Object.assign(new PassThrough(), { isTTY: false })
  const program = await buildProgram(
    { stdin: stream, stdout: stream, stderr: stream, env: { NO_COLOR: '1' }, cwd: '/' },
    noPrograms(''),
    () => {},
  )
  const pages: { name: string; help: string }[] = []
  const visit = (command: Command, path: string): void => {
    const inner = command.createHelp().visibleCommands(command)
    if (inner.length === 0 || isCommandToo(command)) {
      written.length = 0
      command
        .configureHelp({ ...HELP_LAYOUT, showGlobalOptions: false })
        .configureOutput({ writeOut: (text) => void written.push(text), getOutHelpWidth: () => 100 })
        .outputHelp()
      pages.push({ name: path, help: written.join('').trim() })
    }
    for (const child of inner) if (child.name() !== 'help') visit(child, `${path} ${child.name()}`)
  }
  visit(program, 'oauth3')
  return pages
}

/** A group that says more of itself than which commands are in it; what stands behind its help is an event's (commander is an EventEmitter). */
const isCommandToo = (group: Command): boolean =>
  group.parent !== null &&
  (group.options.length > 0 || (group as unknown as EventEmitter).listenerCount('afterHelp') > 0)

/** Commands that ask for a value, which somebody may take for an argument. */
const VALUE_COMMANDS: readonly string[] = ['secret add', 'key add']

function assertNotTooMany(command: Command): void {
  const most = command.registeredArguments.length
  if (command.args.length <= most || command.registeredArguments.at(-1)?.variadic) return
  const group = command.parent?.parent ? `${command.parent.name()} ` : ''
  const name = `${group}${command.name()}`
  const value = VALUE_COMMANDS.includes(name)
    ? ' Its value is never an argument: it is asked for, or read from standard input.'
    : ''
  throw usageError(
    `Too many arguments: oauth3 ${name} takes ${most === 0 ? 'none' : most}; see oauth3 ${name} --help.${value}`,
  )
}

/** It would be a part of a path that is not there, and the daemon would know of no such path. */
function assertNotEmpty({ args, registeredArguments }: Command): void {
  const at = args.findIndex((word) => word.trim() === '')
  if (at < 0) return
  const named = registeredArguments[Math.min(at, registeredArguments.length - 1)]?.name() ?? 'argument'
  throw usageError(`The argument '${named}' is empty.`)
}

/** Commander repeats the word that it does not know; one that looks like no word of ours may be a value. */
function unknownWord(message: string): string | undefined {
  const [, kind, word = '', hint = ''] =
    /^unknown (option|command) '(.*?)'(\n\(Did you mean .*\))?$/s.exec(message) ?? []
  if (kind === undefined) return undefined
  const name = word.replace(/=.*$/s, '')
  return /^(?:[a-z][a-z-]{0,15}|-[a-z0-9]|--[a-z][a-z0-9-]{0,23})$/i.test(name)
    ? `unknown ${kind} '${name}'${hint}`
    : `unknown ${kind}; see oauth3 --help`
}

function asCliError(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined
    // Commander has printed the help already when a command was left out.
    if (error.code === 'commander.help') return usageError('Name a command; see oauth3 --help.')
    const text = error.message.replace(/^error: /, '')
    const isMissing = error.code === 'commander.missingArgument'
    return usageError(unknownWord(text) ?? `${text}${isMissing ? '; add --help to see what it takes' : ''}`)
  }
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EPIPE') return undefined
  const message = error instanceof Error ? error.message : String(error)
  return new CliError('failed', ERROR_TABLE.internal.exit, message)
}
