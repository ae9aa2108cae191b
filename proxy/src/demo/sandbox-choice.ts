import type Docker from 'dockerode'
import { CliError, EXIT } from '../cli/index.ts'
import { createEngineClient } from '../sandbox/engine/index.ts'
import { buildImages } from '../sandbox/images/index.ts'
import { createSandbox } from '../sandbox/runner/index.ts'
import { imageTag } from '../sandbox/runtimes/index.ts'

export interface SandboxChoice {
  readonly kind: 'docker' | 'embedded'
  readonly why: string
}

const ENGINE_ANSWER_MS = 3_000

/** Docker when an engine answers (its image is built first where missing), else the embedded sandbox, and why. */
export async function chooseSandbox(
  asked: string | undefined,
  progress: (line: string) => void,
): Promise<SandboxChoice> {
  if (asked === 'embedded') return { kind: 'embedded', why: 'OAUTH3_SANDBOX asks for it' }
  const docker = createEngineClient()
  try {
    await answersSoon(docker)
  } catch (error) {
    if (asked === 'docker') {
      throw new CliError(
        'failed',
        EXIT.failed,
        `OAUTH3_SANDBOX=docker, but no Docker engine answers (${firstLine(error)}); leave it out to use the embedded sandbox`,
      )
    }
    return { kind: 'embedded', why: `no Docker engine answers (${firstLine(error)})` }
  }
  try {
    if (!(await hasImages(docker))) await buildImages({ docker, log: progress, only: ['deno'] })
    return { kind: 'docker', why: 'a Docker engine answers' }
  } catch (error) {
    if (asked === 'docker') throw error
    return {
      kind: 'embedded',
      why: `Docker answers, but the sandbox image could not be built (${firstLine(error)})`,
    }
  }
}

async function answersSoon(docker: Docker): Promise<void> {
  const timedOut = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('no answer in time')), ENGINE_ANSWER_MS).unref()
  })
  await Promise.race([docker.ping(), timedOut])
}

async function hasImages(docker: Docker): Promise<boolean> {
  await using sandbox = await createSandbox({
    kind: 'docker',
    poolSize: 0,
    instanceId: 'demo-probe',
    endpoints: null,
    docker,
  })
  return (await sandbox.status()).kind === 'docker'
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error)).split('\n')[0] ?? ''

/** For what has no other way; says what to do where something is missing. */
export async function engineWithImage(
  need: string,
  image: Parameters<typeof imageTag>[0],
  name: string,
): Promise<Docker> {
  const docker = createEngineClient()
  try {
    await answersSoon(docker)
  } catch (error) {
    throw new CliError(
      'failed',
      EXIT.failed,
      `${need} Docker, and no engine answers (${firstLine(error)}). Start it, or see npm run demo, which can do without.`,
    )
  }
  try {
    await docker.getImage(imageTag(image)).inspect()
  } catch {
    throw new CliError(
      'failed',
      EXIT.failed,
      `The image ${imageTag(image)} is not built yet. Build it with: npm run images -- --only ${name}`,
    )
  }
  return docker
}
