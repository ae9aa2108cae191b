/** Builds the sandbox images, and shows of each that it works. */
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { engineStatus } from '../engine/index.ts'
import {
  BROWSER_IMAGE,
  CLAUDE_IMAGE,
  DESKTOP_IMAGE,
  type ImageSource,
  imageTag,
  OPENCLAW_IMAGE,
  PROXY_VERSION,
  RUNTIMES,
} from '../runtimes/index.ts'
import { contextDigest, contextOf } from './image-context.ts'
import { createStepReader, LABEL_RUNTIME, removeLeftovers } from './image-leftovers.ts'
import { tryBrowser, tryClaude, tryDesktop, tryOpenclaw, tryRuntime } from './smoke.ts'
import { type TarFile, tarStream } from './tar.ts'

export interface ImageBuildOptions {
  readonly docker: Docker
  readonly log: (line: string) => void
  /** Image that lends its C library and packages; the Dockerfiles name the default. */
  readonly base?: string | undefined
  /** Names of images; those of all runtimes when left out. */
  readonly only?: readonly string[] | undefined
}

export interface BuiltImage {
  readonly name: string
  readonly tag: string
  /** `sha256:…` */
  readonly image: string
}

/** Every image there is, and what shows that one works. */
const IMAGES: readonly {
  readonly source: ImageSource
  works(docker: Docker, image: string): Promise<void>
}[] = [
  ...RUNTIMES.map((runtime) => ({
    source: runtime,
    works: (docker: Docker, image: string) => tryRuntime(docker, runtime, image),
  })),
  { source: CLAUDE_IMAGE, works: tryClaude },
  { source: OPENCLAW_IMAGE, works: tryOpenclaw },
  { source: BROWSER_IMAGE, works: tryBrowser },
  { source: DESKTOP_IMAGE, works: tryDesktop },
]
export const IMAGE_NAMES: readonly string[] = IMAGES.map(({ source }) => source.name)

const DEFAULT_BASE = 'debian:bookworm-slim'
/** Of what an image was built from; the same again is not built again. */
const LABEL_CONTEXT = 'oauth3.context'

/**
 * Throws an Error with a message for a person when there is no engine, no base image or no binary. An image that fails
 * keeps none of the others from being built; which ones failed is told at the end.
 */
export async function buildImages({ docker, log, base, only }: ImageBuildOptions): Promise<BuiltImage[]> {
  const wanted = chosen(only)
  const arch = await engineArchitecture(docker)
  const baseId = await haveBase(docker, base ?? DEFAULT_BASE, log)
  const built: BuiltImage[] = []
  const failed: { readonly name: string; readonly error: Error }[] = []
  for (const one of wanted) {
    const { name } = one.source
    try {
      built.push(await buildOne(docker, one, arch, { base, baseId }, log))
    } catch (error) {
      log(`failed: ${name}`)
      failed.push({ name, error: error as Error })
    }
  }
  const [first] = failed
  if (first === undefined) return built
  throw new Error(
    failed.map(({ name, error }) => `The image ${name} is not ready: ${error.message}`).join('\n'),
    {
      cause: first.error,
    },
  )
}

function chosen(only: readonly string[] | undefined): typeof IMAGES {
  const names = only ?? RUNTIMES.map(({ name }) => name)
  const unknown = names.filter((name) => !IMAGE_NAMES.includes(name))
  if (unknown.length > 0) {
    throw new Error(`There is no image ${unknown.join(', ')}; known: ${IMAGE_NAMES.join(', ')}`)
  }
  return IMAGES.filter(({ source }) => names.includes(source.name))
}

async function buildOne(
  docker: Docker,
  { source, works }: (typeof IMAGES)[number],
  arch: string,
  { base, baseId }: { readonly base: string | undefined; readonly baseId: string },
  log: (line: string) => void,
): Promise<BuiltImage> {
  const tag = imageTag(source)
  const files = await contextOf(source, arch, log)
  const digest = await contextDigest(files, baseId)
  const current = () => builtFrom(docker, tag, digest)
  let image = await current()
  const isNew = image === undefined
  if (isNew) {
    log(`building ${tag}`)
    const steps = createStepReader()
    try {
      await build(docker, source, { files, tag, base, digest, onText: steps.read }, log)
    } catch (error) {
      // Two builds of the same at once take each other's layers away; the one that came first is good for both.
      if ((await current()) === undefined) throw error
    }
    image = (await docker.getImage(tag).inspect()).Id
    const used = await removeLeftovers(docker, source.name, steps.ids)
    if (used.length > 0)
      log(`still in use, removed by the next build: ${used.map((id) => id.slice(7, 19)).join(', ')}`)
  }
  log(`trying ${tag}`)
  await works(docker, image as string)
  log(`${isNew ? 'built' : 'up to date:'} ${tag} ${image}`)
  return { name: source.name, tag, image: image as string }
}

async function builtFrom(docker: Docker, tag: string, digest: string): Promise<string | undefined> {
  try {
    const { Id, Config } = await docker.getImage(tag).inspect()
    return Config.Labels?.[LABEL_CONTEXT] === digest ? Id : undefined
  } catch (error) {
    if (engineStatus(error) === 404) return undefined
    throw error
  }
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
async function haveBase(docker: Docker, base: string, log: (line: string) => void): Promise<string> {
  try {
    return (await docker.getImage(base).inspect()).Id
  } catch {
    log(`pulling ${base}`)
    try {
      await untilDone(docker, await docker.pull(base))
      return (await docker.getImage(base).inspect()).Id
    } catch (error) {
      throw new Error(
        `The base image ${base} is not here and cannot be pulled (${(error as Error).message}). ` +
          'Name another one that has glibc and a shell: npm run images -- --base NAME',
        { cause: error },
      )
    }
  }
}

interface ProgressEvent {
  readonly stream?: string
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
}

/**
 * Rejects with the engine's own reason. It answers a pull or a build with 200 before it begins, so that one that fails is an
 * event among the others, which dockerode's callback does not take for an error.
 */
function untilDone(
  docker: Docker,
  progress: NodeJS.ReadableStream,
  onEvent: (event: ProgressEvent) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(
      progress,
      (error) => (error ? reject(error) : resolve()),
      (event: ProgressEvent) => {
        onEvent(event)
        const reason = event.error ?? event.errorDetail?.message
        if (reason !== undefined) reject(new Error(reason))
      },
    )
  })
}

async function build(
  docker: Docker,
  source: ImageSource,
  {
    files,
    tag,
    base,
    digest,
    onText,
  }: {
    readonly files: readonly TarFile[]
    readonly tag: string
    readonly base: string | undefined
    readonly digest: string
    readonly onText: (text: string) => void
  },
  log: (line: string) => void,
): Promise<void> {
  const events = await docker.buildImage(Readable.from(tarStream(files)), {
    t: tag,
    // Nothing is fetched while it builds, but by images that are made of the distribution's packages.
    ...(source.buildNeedsNetwork ? {} : { networkmode: 'none' }),
    forcerm: true,
    labels: { [LABEL_RUNTIME]: source.name, 'oauth3.version': PROXY_VERSION, [LABEL_CONTEXT]: digest },
    ...(base === undefined ? {} : { buildargs: { BASE: base } }),
  })
  // What a failing step printed last says more than its exit code.
  let output = ''
  try {
    await untilDone(docker, events, ({ stream }) => {
      if (stream !== undefined) onText(stream)
      const line = stream?.trim()
      if (line?.startsWith('Step ')) log(`  ${line.split('\n')[0]}`)
      output = `${output}${stream ?? ''}`.slice(-1_000)
    })
  } catch (error) {
    throw new Error(`${tag} could not be built: ${(error as Error).message}\n${output}`.trim(), {
      cause: error,
    })
  }
}
