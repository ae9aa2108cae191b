import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

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
  /** Called with the process's id while it runs. */
  readonly whileRunning?: (pid: number) => Promise<void> | void
}

/** Runs one command as its own process, as a script would. */
export async function runCliProcess(args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd ?? '/',
    env: { PATH, HOME, ...options.env },
    timeout: 60_000,
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  child.stdin.on('error', () => {})
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
  if (options.whileRunning && child.pid !== undefined) await options.whileRunning(child.pid)
  child.stdin.end(options.stdin ?? '')
  return { code: await ended, ...output }
}
