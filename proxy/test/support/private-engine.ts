import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { patience } from './pace.ts'

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

/**
 * In mounts of its own, which nobody else sees, the engine does without the second cgroup hierarchy of a host that
 * mixes both versions: crun refuses such a host as soon as a controller stands in the second one.
 */
const OWN_MOUNTS = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@"'

export async function startPrivateEngine(
  options: {
    /** OCI runtimes that the engine is to know besides runc: name and path. */
    readonly runtimes?: Readonly<Record<string, string>>
  } = {},
): Promise<PrivateEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-engine-'))
  const socketPath = join(folder, 'docker.sock')
  const docker = new Docker({ socketPath })
  let engine: ChildProcess | undefined

  const start = async (): Promise<void> => {
    const started = spawn(
      'unshare',
      [
        ['--net', '--mount', '--propagation', 'private', 'sh', '-c', OWN_MOUNTS, 'dockerd'],
        ['--host', `unix://${socketPath}`],
        ['--data-root', join(folder, 'data')],
        ['--exec-root', join(folder, 'exec')],
        ['--pidfile', join(folder, 'pid')],
        ['--bridge', 'none'],
        ['--iptables=false'],
        ['--log-level', 'error'],
        ...Object.entries(options.runtimes ?? {}).map(([name, path]) => ['--add-runtime', `${name}=${path}`]),
      ].flat(),
      { stdio: 'ignore' },
    )
    engine = started
    for (const until = Date.now() + patience(30_000); ; ) {
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
