import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A part of a benchmark in a process of its own. It is asked one thing at a time and answers each with one message. */
export interface Peer {
  readonly pid: number
  ask<T>(message: unknown): Promise<T>
  /** Resolves when its process is over, with all that it had. */
  stop(): Promise<void>
}

/** Starts the module with the role as its argument; it calls `answerAsPeer`. */
export function startPeer(
  module: URL,
  role: string,
  options: { readonly execArgv?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Peer {
  const child: ChildProcess = fork(fileURLToPath(module), [role], {
    execArgv: [...(options.execArgv ?? process.execArgv)],
    env: options.env ?? process.env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = new AbortController()
  child.once('exit', () => ended.abort(new Error(`the ${role} process ended`)))
  return {
    pid: child.pid ?? 0,
    async ask<T>(message: unknown): Promise<T> {
      const answer = once(child, 'message', { signal: ended.signal })
      child.send(message as object)
      const [{ value, error }] = (await answer) as [{ value: T; error?: string }]
      if (error !== undefined) throw new Error(`${role}: ${error}`)
      return value
    },
    async stop() {
      if (ended.signal.aborted) return
      const over = once(child, 'exit')
      child.disconnect()
      await over
    },
  }
}

/** The other side of `startPeer`; the process ends with the one that started it, once `close` has taken away what outlives a process. */
export function answerAsPeer(
  handle: (role: string, message: unknown) => Promise<unknown>,
  close: () => Promise<void> = async () => {},
): void {
  const role = process.argv[2] ?? ''
  process.on('message', (message) => {
    handle(role, message).then(
      (value) => process.send?.({ value }),
      (error: Error) => process.send?.({ error: error.stack }),
    )
  })
  process.on('disconnect', () => {
    void close().finally(() => process.exit(0))
  })
}
