/** Whether Docker suites can run here. They are skipped with a reason, or fail when Docker is required. */
import Docker from 'dockerode'
import { buildImages } from '../../src/sandbox/images/index.ts'

export interface DockerAvailability {
  readonly available: boolean
  /** Why not, for a person; empty when available. */
  readonly reason: string
}

/**
 * Looks for an engine and, unless told not to, builds sandbox images into it (quick when they are cached): those of the
 * runtimes named, by default Deno's.
 * With OAUTH3_REQUIRE_DOCKER=1 it throws instead of saying no.
 */
export async function dockerOrSkip(
  options: { images?: boolean | readonly string[] } = {},
): Promise<DockerAvailability> {
  try {
    const docker = new Docker()
    await docker.ping()
    const { images = true } = options
    if (images !== false) await haveImages(docker, images === true ? ['deno'] : images)
    return { available: true, reason: '' }
  } catch (error) {
    const reason = `no Docker: ${(error as Error).message}`
    if (process.env.OAUTH3_REQUIRE_DOCKER === '1') throw new Error(reason, { cause: error })
    console.warn(`skipping Docker tests: ${reason}`)
    return { available: false, reason }
  }
}

async function haveImages(docker: Docker, only: readonly string[]): Promise<void> {
  const lines: string[] = []
  try {
    await buildImages({ docker, only, log: (line) => lines.push(line) })
  } catch (error) {
    throw new Error(`the sandbox images cannot be built: ${(error as Error).message}\n${lines.join('\n')}`, {
      cause: error,
    })
  }
}
