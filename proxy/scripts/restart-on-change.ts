import { type ChildProcess, spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { basename } from 'node:path'

export interface RestartOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Folders whose files are watched, with all that is below them. */
  readonly watched: readonly string[]
  /** Aborts: the program is stopped, and nothing starts it again. */
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/** Editors write swap files and several changes in a row. */
const SETTLE_MS = 100
const PASSED_OVER = /^\.|~$|\.(?:swp|swx|tmp)$|\.test\.ts$|^[0-9]+$/

/**
 * Keeps one program running until the signal aborts: a change of a watched file stops it (SIGTERM) and starts it anew once it has
 * ended, so that two never share a database or a port. A program that ended by itself waits for the next change. Resolves with
 * the last exit code, 0 where a signal ended it.
 */
export async function restartOnChange(options: RestartOptions): Promise<number> {
  const { signal, log } = options
  let child: ChildProcess | undefined
  let wanted = false
  let stopping = false
  let wake: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const changed = new Set<string>()

  // A second SIGTERM would end the daemon in the middle of its drain.
  const stop = (): void => {
    if (child !== undefined && !stopping) child.kill('SIGTERM')
    stopping = true
  }
  const onChange = (_kind: string, name: string | null): void => {
    if (name !== null && PASSED_OVER.test(basename(name))) return
    changed.add(name ?? 'a file')
    clearTimeout(timer)
    timer = setTimeout(() => {
      log(`${[...changed].join(', ')} changed: restarting`)
      changed.clear()
      wanted = true
      stop()
      wake?.()
    }, SETTLE_MS)
  }
  const watchers = options.watched.map((folder) => watch(folder, { recursive: true }, onChange))
  signal.addEventListener('abort', () => {
    stop()
    wake?.()
  })
  let code = 0
  try {
    while (!signal.aborted) {
      wanted = false
      stopping = false
      child = spawn(options.command, options.args, {
        cwd: options.cwd,
        env: options.env,
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      code = await ended(child)
      child = undefined
      if (signal.aborted || wanted) continue
      log(`the program ended with ${code}; a change starts it again`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      wake = undefined
    }
  } finally {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
  return code
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 0))
  })
}
