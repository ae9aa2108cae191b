import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { capture, pause, repositoryRoot } from '../../bench/support.ts'
import { read } from './outside.ts'

const MAIN = join(repositoryRoot, 'proxy/src/main.ts')
const CALL_TIMEOUT_MS = 10_000

/** The real daemon as a process of its own, which can be killed and started again in one folder. */
export class DaemonProcess {
  readonly url: string
  readonly folder: string
  readonly #env: NodeJS.ProcessEnv
  #daemon: ChildProcess | undefined

  constructor(folder: string, port: number, settings: Readonly<Record<string, string>>) {
    this.folder = folder
    this.url = `http://127.0.0.1:${port}`
    this.#env = {
      // Settings of the tests are none of the daemon's, which refuses what it does not know.
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(OAUTH3|CLAWDFORGE)_/.test(name)),
      ),
      PORT: String(port),
      HOST: '127.0.0.1',
      DB_PATH: join(folder, 'proxy.db'),
      LOG_LEVEL: 'error',
      ...settings,
    }
  }

  get isUp(): boolean {
    return this.#daemon !== undefined
  }

  /** Resolves once it answers; throws when it ends instead. */
  async start(): Promise<void> {
    const daemon = spawn(process.execPath, [MAIN, 'daemon'], {
      env: this.#env,
      cwd: this.folder,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    this.#daemon = daemon
    for (;;) {
      if (daemon.exitCode !== null)
        throw new Error(`the daemon did not start again: exit code ${daemon.exitCode}`)
      const healthy = await fetch(`${this.url}/health`).then(
        (response) => response.ok,
        () => false,
      )
      if (healthy && existsSync(join(this.folder, 'admin.sock'))) return
      await pause(20)
    }
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = undefined
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
    const gone = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill(signal)
    await gone
  }

  /** What the command prints. */
  cli(args: readonly string[], input?: string): Promise<string> {
    return capture(process.execPath, [MAIN, ...args], {
      env: this.#env,
      cwd: this.folder,
      ...(input === undefined ? {} : { input }),
    })
  }

  /** One call on the owner's socket; undefined when the daemon was gone. */
  admin(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> } | undefined> {
    return new Promise((resolve) => {
      const call = request(
        {
          socketPath: join(this.folder, 'admin.sock'),
          method,
          path,
          headers: { 'content-type': 'application/json' },
          timeout: CALL_TIMEOUT_MS,
        },
        (response) =>
          read(response).then(
            (text) =>
              resolve({
                status: response.statusCode ?? 0,
                body: JSON.parse(text) as Record<string, unknown>,
              }),
            () => resolve(undefined),
          ),
      )
      call.on('error', () => resolve(undefined))
      call.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}
