import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RecipeStep, stepsOf } from './recipe-page.ts'

const ROOT = join(import.meta.dirname, '../..')
const LONGEST_MS = 80_000

/** The daemon of `npm run dev`, with a state in the folder; resolves when code can run. */
async function startDevDaemon(state: string): Promise<{ env: NodeJS.ProcessEnv; stop(): Promise<void> }> {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  writeFileSync(join(state, '.env'), 'PORT=0\nOAUTH3_SANDBOX=docker\n', { mode: 0o600 })
  const child = spawn(process.execPath, [join(ROOT, 'proxy/scripts/dev.ts'), '--state', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await readyAt(child)
  return {
    env: { STATE: state, OAUTH3_SOCKET: join(state, 'admin.sock'), OAUTH3_URL: url },
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function readyAt(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stdout?.on('data', (chunk) => {
      log += chunk
      const url = /"url":"([^"]+)"[^\n]*oauth3 is ready/.exec(log)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('exit', () => reject(new Error(`the daemon did not start:\n${log}`)))
  })
}

export interface RecipeRun {
  readonly steps: readonly RecipeStep[]
  /** What each step printed, both streams, lines ended as in the page; shorter than the steps where one failed. */
  readonly outputs: readonly string[]
  /** Null when every command succeeded. */
  readonly failure: string | null
}

/** Runs the commands of a page in one shell, in the folder of a checkout, with a daemon of its own. */
export async function runRecipe(
  page: string,
  options: { readonly checkout: string; readonly folder: string },
): Promise<RecipeRun> {
  const { checkout, folder } = options
  mkdirSync(folder, { recursive: true })
  const daemon = await startDevDaemon(join(folder, 'state'))
  try {
    const steps = stepsOf(page)
    const output = (index: number): string => join(folder, String(index))
    const script = steps
      .map(({ commands }, index) => `exec > '${output(index)}' 2>&1\n${commands}`)
      .join('\n')
    const code = await runShell(script, checkout, daemon.env)
    const outputs = steps.flatMap((_step, index) =>
      existsSync(output(index)) ? [readFileSync(output(index), 'utf8').replaceAll('\r\n', '\n')] : [],
    )
    const failure =
      code === 0 ? null : `step ${outputs.length} ended with ${code}:\n${outputs.slice(-2).join('\n')}`
    return { steps, outputs, failure }
  } finally {
    await daemon.stop()
  }
}

/** The exit code; null where it took too long. */
async function runShell(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<number | null> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env: { ...process.env, ...env, NO_COLOR: '1' },
    stdio: 'ignore',
    detached: true,
  })
  const timer = setTimeout(() => endGroup(shell), LONGEST_MS)
  const code = await new Promise<number | null>((resolve) => shell.once('exit', resolve))
  clearTimeout(timer)
  // What a recipe left running in the background ends with it.
  endGroup(shell)
  return code
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}
