/** Builds the sandbox images, and shows with one real run each that they work. */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { RUN_DEFAULTS, type RunOrder } from '../../domain/executions/index.ts'
import { DockerSandbox } from './docker-sandbox.ts'
import { contextOf } from './image-context.ts'
import { imageTag, PROXY_VERSION, RUNTIMES, type Runtime, runtimeFile } from './runtimes.ts'
import { type TarFile, tarStream } from './tar.ts'

export interface ImageBuildOptions {
  readonly docker: Docker
  readonly log: (line: string) => void
  /** Image that lends its C library and packages; the Dockerfiles name the default. */
  readonly base?: string | undefined
  /** Names of runtimes; all of them when left out. */
  readonly only?: readonly string[] | undefined
}

export interface BuiltImage {
  readonly runtime: string
  readonly tag: string
  /** `sha256:…` */
  readonly image: string
}

const DEFAULT_BASE = 'debian:bookworm-slim'

/**
 * Throws an Error with a message for a person when there is no engine, no base image or no binary. A runtime that fails
 * keeps none of the others from being built; which ones failed is told at the end.
 */
export async function buildImages({ docker, log, base, only }: ImageBuildOptions): Promise<BuiltImage[]> {
  const wanted = chosen(only)
  const arch = await engineArchitecture(docker)
  await haveBase(docker, base ?? DEFAULT_BASE, log)
  const built: BuiltImage[] = []
  const failed: { readonly runtime: string; readonly error: Error }[] = []
  for (const runtime of wanted) {
    try {
      built.push(await buildOne(docker, runtime, arch, base, log))
    } catch (error) {
      log(`failed: ${runtime.name}`)
      failed.push({ runtime: runtime.name, error: error as Error })
    }
  }
  const [first] = failed
  if (first === undefined) return built
  throw new Error(
    failed.map(({ runtime, error }) => `The runtime ${runtime} is not ready: ${error.message}`).join('\n'),
    { cause: first.error },
  )
}

function chosen(only: readonly string[] | undefined): readonly Runtime[] {
  if (only === undefined) return RUNTIMES
  const unknown = only.filter((name) => !RUNTIMES.some((runtime) => runtime.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `There is no runtime ${unknown.join(', ')}; known: ${RUNTIMES.map(({ name }) => name).join(', ')}`,
    )
  }
  return RUNTIMES.filter(({ name }) => only.includes(name))
}

async function buildOne(
  docker: Docker,
  runtime: Runtime,
  arch: string,
  base: string | undefined,
  log: (line: string) => void,
): Promise<BuiltImage> {
  const tag = imageTag(runtime)
  log(`building ${tag}`)
  await build(docker, runtime, contextOf(runtime, arch), tag, base, log)
  const image = (await docker.getImage(tag).inspect()).Id
  log(`trying ${tag}`)
  await smokeTest(docker, runtime, image)
  log(`built ${tag} ${image}`)
  return { runtime: runtime.name, tag, image }
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
    // Nothing is fetched while it builds, but by images that are made of the distribution's packages.
    ...(runtime.buildNeedsNetwork ? {} : { networkmode: 'none' }),
    forcerm: true,
    labels: { 'oauth3.runtime': runtime.name, 'oauth3.version': PROXY_VERSION },
    ...(base === undefined ? {} : { buildargs: { BASE: base } }),
  })
  // What a failing step printed last says more than its exit code.
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const fail = (message: string) =>
      reject(new Error(`${tag} could not be built: ${message}\n${said}`.trim()))
    docker.modem.followProgress(
      events,
      (error) => (error ? fail(error.message) : resolve()),
      (event: BuildEvent) => {
        const line = event.stream?.trim()
        if (line?.startsWith('Step ')) log(`  ${line.split('\n')[0]}`)
        said = `${said}${event.stream ?? ''}`.slice(-1_000)
        if (event.error !== undefined) fail(event.error)
      },
    )
  })
}

/** One hello through the real protocol, in the real walls. */
async function smokeTest(docker: Docker, runtime: Runtime, image: string): Promise<void> {
  await using sandbox = new DockerSandbox({
    docker,
    instanceId: `image-build-${process.pid}`,
    poolSize: 0,
    doors: null,
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
