import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'

/**
 * A Docker engine of the test's own, with its own socket, containerd and data: one that a test may stop and start
 * without harm to anybody. Needs root and `dockerd`; has no bridge, so it touches no firewall rule, and a network
 * namespace of its own: a dockerd told to have no bridge removes the host's docker0 at its start.
 */
export interface PrivateEngine extends AsyncDisposable {
  readonly docker: Docker
  start(): Promise<void>
  stop(): Promise<void>
}

export async function startPrivateEngine(): Promise<PrivateEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-engine-'))
  const socketPath = join(folder, 'docker.sock')
  const docker = new Docker({ socketPath })
  let engine: ChildProcess | undefined

  const start = async (): Promise<void> => {
    const started = spawn(
      'unshare',
      [
        ['--net', 'dockerd'],
        ['--host', `unix://${socketPath}`],
        ['--data-root', join(folder, 'data')],
        ['--exec-root', join(folder, 'exec')],
        ['--pidfile', join(folder, 'pid')],
        ['--bridge', 'none'],
        ['--iptables=false'],
        ['--log-level', 'error'],
      ].flat(),
      { stdio: 'ignore' },
    )
    engine = started
    for (const until = Date.now() + 30_000; ; ) {
      if (started.exitCode !== null) throw new Error(`dockerd ended with ${started.exitCode}`)
      if (
        await docker.ping().then(
          () => true,
          () => false,
        )
      )
        return
      if (Date.now() > until) throw new Error('dockerd did not answer within 30 s')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const stop = async (): Promise<void> => {
    const running = engine
    engine = undefined
    if (!running || running.exitCode !== null) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGTERM')
    await gone
  }

  await start()
  return {
    docker,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Copies an image from the machine's engine. */
export async function giveImage(to: Docker, name: string): Promise<void> {
  const archive = await new Docker().getImage(name).get()
  const answer = await to.loadImage(archive)
  await new Promise<void>((resolve, reject) =>
    to.modem.followProgress(answer, (error) => (error ? reject(error) : resolve())),
  )
}
