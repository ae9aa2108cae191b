import { spawn } from 'node:child_process'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { noPrograms, runCli } from '../../src/cli/index.ts'
import { patience } from './pace.ts'
import { programEnv } from './program-env.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CliRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliRunOptions {
  readonly stdin?: string
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** Standard input ends before `whileRunning` begins. */
  readonly givesInputFirst?: boolean
  /** Called with the process's id, and what it has said so far, while it runs. */
  readonly whileRunning?: (
    pid: number,
    output: Readonly<Record<'stdout' | 'stderr', string>>,
  ) => Promise<void> | void
}

/** Runs one command as its own process, as a script would. */
export async function runCliProcess(args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd ?? '/',
    env: { ...programEnv(), ...options.env },
    timeout: patience(60_000),
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  child.stdin.on('error', () => {})
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
  if (options.givesInputFirst) child.stdin.end(options.stdin ?? '')
  if (options.whileRunning && child.pid !== undefined) await options.whileRunning(child.pid, output)
  child.stdin.end(options.stdin ?? '')
  return { code: await ended, ...output }
}

export interface CliHereOptions {
  readonly stdin?: string
  /** Standard input has no end behind `stdin`. */
  readonly isLeftOpen?: boolean
  readonly env?: Record<string, string>
  /** Standard input is a terminal, where a person types `stdin` at the first question. */
  readonly isTerminal?: boolean
  /** Standard output is a terminal; each part that is written there is told. */
  readonly onWritten?: (text: string) => void
  /** On a terminal, what is typed below the text that ends with a prompt; null for nothing yet. */
  readonly types?: (prompt: string) => string | null | Promise<string | null>
}

/** Runs one command in this process, for tests of many commands. */
export async function runCliHere(args: readonly string[], options: CliHereOptions = {}): Promise<CliRun> {
  const output = { stdout: '', stderr: '' }
  const stdin = Object.assign(new PassThrough(), { isTTY: options.isTerminal === true })
  if (options.isLeftOpen) stdin.write(options.stdin ?? '')
  else if (!options.isTerminal) stdin.end(options.stdin ?? '')
  const into = (name: keyof typeof output, onText: (text: string) => void = () => {}): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        output[name] += String(chunk)
        onText(String(chunk))
        done()
      },
    })
  const answer = (text: string): void => {
    const confirms = text.includes('[y/N]')
    if (options.isTerminal && confirms && !options.types) stdin.end(`${options.stdin ?? ''}\n`)
    if (!options.types || !(confirms || text.endsWith('> '))) return
    void Promise.resolve(options.types(output.stderr)).then((typed) => {
      if (typed !== null) stdin.write(`${typed}\n`)
    })
  }
  const code = await runCli(
    args,
    {
      stdin,
      stdout: Object.assign(into('stdout', options.onWritten), { isTTY: options.onWritten !== undefined }),
      ...{ stderr: into('stderr', answer), env: options.env ?? {}, cwd: '/' },
    },
    noPrograms('0.0.0'),
  )
  return { code, ...output }
}
