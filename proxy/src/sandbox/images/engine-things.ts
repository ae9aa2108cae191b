/** What OAuth3 has made in an engine, found by its labels. */
import type Docker from 'dockerode'
import { engineStatus, LABEL_INSTANCE } from '../engine/index.ts'
import { LABEL_RUNTIME } from './image-leftovers.ts'

export interface EngineThings {
  readonly containers: readonly { readonly id: string; readonly name: string }[]
  /** With the files of machines that are not kept elsewhere yet. */
  readonly volumes: readonly string[]
  /** Shared by every daemon on the engine. */
  readonly images: readonly { readonly id: string; readonly name: string }[]
}

/** Containers and volumes of one daemon, and the sandbox images, built by whichever version. Throws where no engine answers. */
export async function findEngineThings(docker: Docker, instanceId: string | null): Promise<EngineThings> {
  const filters = { label: [`${LABEL_INSTANCE}=${instanceId}`] }
  const containers = instanceId === null ? [] : await docker.listContainers({ all: true, filters })
  const { Volumes: volumes } = instanceId === null ? { Volumes: [] } : await docker.listVolumes({ filters })
  const images = await docker.listImages({ filters: { label: [LABEL_RUNTIME] } })
  return {
    containers: containers.map(({ Id, Names }) => ({ id: Id, name: Names[0]?.slice(1) ?? Id.slice(0, 12) })),
    volumes: (volumes ?? []).map(({ Name }) => Name),
    images: images.map(({ Id, RepoTags }) => ({
      id: Id,
      name: RepoTags?.find((tag) => tag !== '<none>:<none>') ?? Id.slice(7, 19),
    })),
  }
}

/** Resolves to what stayed, with the reason; another daemon's container may use an image. */
export async function removeEngineThings(docker: Docker, things: EngineThings): Promise<readonly string[]> {
  const stayed: string[] = []
  const attempt = async (name: string, remove: () => Promise<unknown>): Promise<void> => {
    await remove().catch((error: { message?: string }) => {
      if (engineStatus(error) !== 404) stayed.push(`${name}: ${error.message ?? 'it cannot be removed'}`)
    })
  }
  for (const { id, name } of things.containers)
    await attempt(name, () => docker.getContainer(id).remove({ force: true, v: true }))
  // Of containers that are gone by now.
  for (const name of things.volumes) await attempt(name, () => docker.getVolume(name).remove())
  for (const { id, name } of things.images)
    await attempt(name, () => docker.getImage(name.includes(':') ? name : id).remove())
  return stayed
}
