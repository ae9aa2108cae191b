import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { FilesRef, MachineFiles } from './ports.ts'

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode

/**
 * Through the archive API of the container engine, which reads and unpacks inside of the container's own root: what a machine made of
 * its files leads nowhere else, and nothing of ours runs beside them.
 */
export function createEngineFiles(of: {
  readonly docker: Docker
  readonly containerOf: (ref: FilesRef) => string
  /** Where the volume stands in a container. */
  readonly mount: string
}): MachineFiles {
  const { docker, containerOf, mount } = of
  return {
    async read(ref, name, abortSignal) {
      try {
        const container = docker.getContainer(containerOf(ref))
        return (await container.getArchive({ path: `${mount}/${name}`, abortSignal })) as unknown as Readable
      } catch (error) {
        if (statusOf(error) !== 404) throw error
        // Without its container nothing is known of its volume.
        await docker.getContainer(containerOf(ref)).inspect({ abortSignal })
        return undefined
      }
    },
    async write(ref, archive, abortSignal) {
      const body = Readable.from(archive, { objectMode: false })
      const failed = new Promise<never>((_, reject) => void body.once('error', reject))
      failed.catch(() => {})
      const done = docker.getContainer(containerOf(ref)).putArchive(body, { path: mount, abortSignal })
      // An engine may take what came until its source failed for all there is.
      await Promise.race([done, failed])
      if (body.errored) throw body.errored
    },
  }
}
