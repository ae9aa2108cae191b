/** Builds the sandbox images, and shows with one real run each that they work. */
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { RUN_DEFAULTS, type RunOrder } from '../../domain/executions/index.ts'
import { packageFile } from './deno-binary.ts'
import { DockerSandbox } from './docker-sandbox.ts'
import { imageTag, PROXY_VERSION, RUNTIMES, type Runtime, runtimeFile } from './runtimes.ts'
import { type TarFile, tarStream } from './tar.ts'

export interface ImageBuildOptions {
  readonly docker: Docker
  readonly log: (line: string) => void
  /** Image that lends its C library; the Dockerfile names the default. */
  readonly base?: string | undefined
}

export interface BuiltImage {
  readonly runtime: string
  readonly tag: string
  /** `sha256:…` */
  readonly image: string
}

const DEFAULT_BASE = 'debian:bookworm-slim'

/** Throws an Error with a message for a person when there is no engine, no base image or no binary. */
export async function buildImages({ docker, log, base }: ImageBuildOptions): Promise<BuiltImage[]> {
  const arch = await engineArchitecture(docker)
  await haveBase(docker, base ?? DEFAULT_BASE, log)
  const built: BuiltImage[] = []
  for (const runtime of RUNTIMES) {
    const tag = imageTag(runtime)
    log(`building ${tag}`)
    await build(docker, runtime, contextOf(runtime, arch), tag, base, log)
    const image = (await docker.getImage(tag).inspect()).Id
    log(`trying ${tag}`)
    await smokeTest(docker, runtime, image)
    log(`built ${tag} ${image}`)
    built.push({ runtime: runtime.name, tag, image })
  }
  return built
}

async function engineArchitecture(docker: Docker): Promise<string> {
  try {
    return (await docker.version()).Arch
  } catch (error) {
    throw new Error(
      `No Docker engine answers (${(error as Error).message}). Start one, or set DOCKER_HOST.`,
      {
        cause: error,
      },
    )
  }
}

/** The classic builder pulls a missing base by itself, but says little when it cannot: so it is pulled here. */
async function haveBase(docker: Docker, base: string, log: (line: string) => void): Promise<void> {
  try {
    await docker.getImage(base).inspect()
  } catch {
    log(`pulling ${base}`)
    try {
      const progress = await docker.pull(base)
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()))
      })
    } catch (error) {
      throw new Error(
        `The base image ${base} is not here and cannot be pulled (${(error as Error).message}). ` +
          'Name another one that has glibc and a shell: npm run images -- --base NAME',
        { cause: error },
      )
    }
  }
}

function contextOf(runtime: Runtime, arch: string): TarFile[] {
  const packageName = runtime.binary.packages[arch]
  if (packageName === undefined) {
    throw new Error(`The runtime ${runtime.name} has no binary for an engine on ${arch}.`)
  }
  const binary = packageFile(packageName, runtime.binary.name)
  if (binary === undefined) {
    throw new Error(
      `The package ${packageName} is not installed; run: npm install --no-save --force ${packageName} (same version as ${runtime.name})`,
    )
  }
  return [
    { name: 'Dockerfile', source: runtimeFile(runtime, 'Dockerfile') },
    { name: runtime.binary.name, source: binary, executable: true },
    ...runtime.files.map((name) => ({ name, source: runtimeFile(runtime, name) })),
  ]
}

interface BuildEvent {
  readonly stream?: string
  readonly error?: string
}

async function build(
  docker: Docker,
  runtime: Runtime,
  files: readonly TarFile[],
  tag: string,
  base: string | undefined,
  log: (line: string) => void,
): Promise<void> {
  const events = await docker.buildImage(Readable.from(tarStream(files)), {
    t: tag,
    // Nothing is fetched while it builds.
    networkmode: 'none',
    forcerm: true,
    labels: { 'oauth3.runtime': runtime.name, 'oauth3.version': PROXY_VERSION },
    ...(base === undefined ? {} : { buildargs: { BASE: base } }),
  })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      events,
      (error) => (error ? reject(new Error(`${tag} could not be built: ${error.message}`)) : resolve()),
      (event: BuildEvent) => {
        const line = event.stream?.trim()
        if (line?.startsWith('Step ')) log(`  ${line.split('\n')[0]}`)
        if (event.error !== undefined) reject(new Error(`${tag} could not be built: ${event.error}`))
      },
    )
  })
}

/** One hello through the real protocol, in the real walls. */
async function smokeTest(docker: Docker, runtime: Runtime, image: string): Promise<void> {
  await using sandbox = new DockerSandbox({ docker, instanceId: `image-build-${process.pid}`, poolSize: 0 })
  const order: RunOrder = {
    requestId: 'image-build',
    runtime: runtime.name,
    image,
    code: 'const { to } = JSON.parse(Deno.env.get("OAUTH3_ARGS") as string)\nconsole.log("hello", to)\n',
    argsJson: '{"to":"world"}',
    secrets: new Map(),
    network: [],
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
      `The new image of ${runtime.name} does not work: ${outcome.end} ${outcome.exitCode} ${output}`,
    )
  }
}
