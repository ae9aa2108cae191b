import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { formatBytes, hasHiddenCharacters } from '../kernel/index.ts'
import { CliError, EXIT, usageError } from './cli-error.ts'
import { type Style, styleFor } from './style.ts'

/** The streams and surroundings of one command; the process's own, or a test's. */
export interface CliSurroundings {
  readonly stdin: Readable & { isTTY?: boolean | undefined }
  readonly stdout: Writable & { isTTY?: boolean | undefined; columns?: number | undefined }
  readonly stderr: Writable & { isTTY?: boolean | undefined }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
}

/** What a command says and asks. Results go to standard output; questions and errors to standard error. */
export interface Terminal {
  readonly style: Style
  /** Whether a person can be asked. */
  readonly isInteractive: boolean
  /** Whether standard output is a terminal, which a person looks at; else it is a file's or a program's. */
  readonly isWatched: boolean
  /** Width of standard output; where it is not a terminal, COLUMNS or wide. */
  readonly columns: number
  print(text: string): Promise<void>
  /** A part of a line of what is printed. */
  write(text: string): Promise<void>
  /** As they are, to a file or another program. Throws where a terminal would obey them. */
  printBytes(bytes: Uint8Array): Promise<void>
  note(text: string): void
  /** A no where there is nobody left to answer: at ^C, ^D or a terminal that is gone. */
  confirm(question: string): Promise<boolean>
  /** A line that a person types; null when the signal ends the question first, or there is nobody left to type. */
  ask(question: string, signal?: AbortSignal): Promise<string | null>
  /** A hidden prompt on a terminal, else standard input without its last line break. */
  readSecret(question: string): Promise<string>
  readSecretFromInput(): Promise<string>
  /** Whether standard input brings anything but white space: it is read up to that, or to its end, and is good for nothing more then. */
  hasInput(): Promise<boolean>
  /** Until it is disposed of, the first ^C aborts the signal in the place of ending the process. */
  catchInterrupt(): Disposable & { readonly signal: AbortSignal }
  /** Standard input as it is, up to a limit. */
  readBytes(limit: number): Promise<Uint8Array>
}

const WIDE_COLUMNS = 140

/** The largest secret, and some more, so that the daemon can say that it is too large. */
const INPUT_LIMIT_BYTES = 128 * 1_024

export function createTerminal(around: CliSurroundings): Terminal {
  const isInteractive = around.stdin.isTTY === true
  const write = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      around.stdout.write(text, (error) => (error ? reject(error) : resolve()))
    })
  const ask: Terminal['ask'] = async (question, signal) => {
    const reader = createInterface({ input: around.stdin, output: around.stderr })
    const left = new AbortController()
    reader.once('close', () => left.abort())
    const ended = signal === undefined ? left.signal : AbortSignal.any([left.signal, signal])
    try {
      return (await reader.question(question, { signal: ended })).trim()
    } catch (error) {
      if (!ended.aborted) throw error
      around.stderr.write('\n')
      return null
    } finally {
      reader.close()
    }
  }
  return {
    style: styleFor(around.stdout, around.env),
    isInteractive,
    isWatched: around.stdout.isTTY === true,
    columns: around.stdout.columns || Number(around.env.COLUMNS) || WIDE_COLUMNS,
    print: (text) => write(`${text}\n`),
    write,
    async printBytes(bytes) {
      if (around.stdout.isTTY === true)
        throw usageError('A terminal may obey what is in it: send it to a file or another program.')
      await new Promise<void>((resolve, reject) => {
        around.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
    },
    note: (text) => void around.stderr.write(`${text}\n`),
    confirm: async (question) => /^y(es)?$/i.test((await ask(`${question} [y/N] `)) ?? ''),
    ask,
    readSecret: (question) => (isInteractive ? askHidden(question, around) : readInput(around.stdin)),
    readSecretFromInput: () => readInput(around.stdin),
    hasInput: () => bringsAnything(around.stdin),
    readBytes: (limit) => bytesOf(around.stdin, limit),
    catchInterrupt,
  }
}

function catchInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const interrupted = new AbortController()
  const onInterrupt = (): void => interrupted.abort()
  process.once('SIGINT', onInterrupt)
  return { signal: interrupted.signal, [Symbol.dispose]: () => void process.off('SIGINT', onInterrupt) }
}

async function askHidden(question: string, around: CliSurroundings): Promise<string> {
  const { default: password } = await import('@inquirer/password')
  try {
    return await password({ message: question }, { input: around.stdin, output: around.stderr })
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new CliError('failed', EXIT.failed, 'Cancelled; nothing was stored.')
    }
    throw error
  }
}

async function readInput(stdin: Readable): Promise<string> {
  const bytes = await bytesOf(stdin, INPUT_LIMIT_BYTES)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.replace(/\r?\n$/, '')
  } catch {
    throw usageError('Standard input is not UTF-8 text.')
  }
}

async function bringsAnything(stdin: Readable): Promise<boolean> {
  for await (const chunk of stdin) if (/\S/.test(String(chunk))) return true
  return false
}

async function bytesOf(stdin: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk as Buffer)
    bytes += buffer.length
    if (bytes > limit) throw usageError(`Standard input holds more than ${formatBytes(limit)}.`)
    chunks.push(buffer)
  }
  return Buffer.concat(chunks)
}

/** JSON with hidden characters as `\uXXXX`: the same value for a parser, nothing for a terminal to obey. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[^\n\x20-\x7e]/gu, (char) =>
    hasHiddenCharacters(char)
      ? char
          .split('')
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
          .join('')
      : char,
  )
}
