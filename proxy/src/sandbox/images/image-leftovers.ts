/**
 * What a build leaves in the engine besides its image: the last layers of stages that lend files, and the image that had
 * the tag before. Removed, where no container and no other image stands on it.
 */
import type Docker from 'dockerode'
import { engineStatus } from '../engine/index.ts'

/** Says which runtime an image is of; the Dockerfile's own stages have no label. */
export const LABEL_RUNTIME = 'oauth3.runtime'

/** Collects the ids that a classic builder prints of every step, shortened: ` ---> 441a4321e600`. */
export function createStepReader(): { read(text: string): void; readonly ids: ReadonlySet<string> } {
  const ids = new Set<string>()
  return {
    ids,
    read(text) {
      for (const [, id = ''] of text.matchAll(/^ ---> ([0-9a-f]{12})$/gm)) ids.add(id)
    },
  }
}

/**
 * `steps`: ids of the build, shortened. Resolves to those of images, without a tag, that are still used and stay until the next
 * build. Never throws: a leftover takes room and does no harm.
 */
export async function removeLeftovers(
  docker: Docker,
  runtime: string,
  steps: ReadonlySet<string>,
): Promise<readonly string[]> {
  const used: string[] = []
  try {
    const untagged = await docker.listImages({ filters: { dangling: ['true'] } })
    const own = untagged.filter(
      ({ Id, Labels }) =>
        steps.has(Id.replace('sha256:', '').slice(0, 12)) || Labels?.[LABEL_RUNTIME] === runtime,
    )
    for (const { Id } of own) {
      await docker
        .getImage(Id)
        .remove()
        .catch((error: unknown) => engineStatus(error) === 409 && used.push(Id))
    }
  } catch {
    return used
  }
  return used
}
