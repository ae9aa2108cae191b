/** Whether an image that was built works. */
import { readFileSync } from 'node:fs'
import type Docker from 'dockerode'
import { RUN_DEFAULTS, type RunOrder } from '../index.ts'
import {
  containerConfig,
  createRemovals,
  createSlots,
  DockerSandbox,
  SandboxContainer,
} from '../runner/index.ts'
import {
  CLAUDE_ARGUMENTS,
  CLAUDE_WAITING,
  openclawVersion,
  type Runtime,
  runtimeFile,
} from '../runtimes/index.ts'

/** Throws an Error for a person when its example does not run. */
export async function tryRuntime(docker: Docker, runtime: Runtime, image: string): Promise<void> {
  await using sandbox = new DockerSandbox({
    docker,
    instanceId: `image-build-${process.pid}`,
    poolSize: 0,
    endpoints: null,
  })
  const order: RunOrder = {
    requestId: 'image-build',
    runtime: runtime.name,
    image,
    code: readFileSync(runtimeFile(runtime, runtime.smoke), 'utf8'),
    argsJson: '{"to":"world"}',
    secrets: new Map(),
    network: [],
    egress: null,
    imports: null,
    dynamicCode: false,
    limits: {
      timeoutMs: 30_000,
      memoryBytes: RUN_DEFAULTS.memoryMib * 1_048_576,
      cpuMillis: RUN_DEFAULTS.cpuMillis,
      pids: RUN_DEFAULTS.pids,
      tmpBytes: RUN_DEFAULTS.tmpBytes,
      outputBytes: RUN_DEFAULTS.outputBytes,
    },
  }
  let output = ''
  const decoder = new TextDecoder()
  const outcome = await sandbox.run(
    order,
    { onStarted: () => {}, onOutput: (_stream, chunk) => (output += decoder.decode(chunk)) },
    AbortSignal.timeout(60_000),
  )
  if (outcome.end !== 'exited' || outcome.exitCode !== 0 || output !== 'hello world\n') {
    throw new Error(
      `its image was built but does not work: ${outcome.end} ${outcome.exitCode ?? ''} ${output}`,
    )
  }
}

/** The CLI starts and answers its first request; it asks no model. */
export async function tryClaude(docker: Docker, image: string): Promise<void> {
  const config = containerConfig({
    image,
    instanceId: `image-build-${process.pid}`,
    limits: {
      timeoutMs: 0,
      outputBytes: 0,
      memoryBytes: 1_073_741_824,
      cpuMillis: 2_000,
      pids: 128,
      tmpBytes: 67_108_864,
    },
    endpoint: null,
    ociRuntime: undefined,
    arguments: [...CLAUDE_ARGUMENTS, ...CLAUDE_WAITING],
  })
  await using container = new SandboxContainer({
    docker,
    config,
    removals: createRemovals(createSlots(1), AbortSignal.abort()),
    endpoint: null,
    log: () => {},
  })
  await container.start()
}

/** It is whole, and the version that the lock file says. A start of its gateway takes too long for every build. */
export const tryOpenclaw = (docker: Docker, image: string): Promise<void> =>
  saysFirst(
    docker,
    image,
    ['/usr/local/bin/node', '/opt/openclaw/node_modules/openclaw/openclaw.mjs', '--version'],
    `OpenClaw ${openclawVersion()} `,
  )

/** Its libraries are there. */
export const tryBrowser = (docker: Docker, image: string): Promise<void> =>
  saysFirst(docker, image, ['/usr/lib/chromium/chromium', '--version'], 'Chromium ')

/** What it adds to the browser's is there. */
export const tryDesktop = (docker: Docker, image: string): Promise<void> =>
  saysFirst(
    docker,
    image,
    ['/bin/sh', '-c', 'command -v xfce4-session dbus-run-session && Xtigervnc -version 2>&1'],
    '/usr/bin/xfce4-session',
  )

async function saysFirst(docker: Docker, image: string, command: string[], words: string): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: command,
    Env: ['HOME=/tmp'],
    Tty: true,
    HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true, CapDrop: ['ALL'], Tmpfs: { '/tmp': '' } },
  })
  try {
    await container.start()
    const { StatusCode } = (await container.wait()) as { readonly StatusCode: number }
    const output = String(await container.logs({ stdout: true, stderr: true }))
    if (StatusCode !== 0 || !output.startsWith(words))
      throw new Error(`its image was built but does not work: ${StatusCode} ${output.slice(0, 1_000)}`)
  } finally {
    await container.remove({ force: true, v: true })
  }
}
