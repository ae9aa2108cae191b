import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { engineStatus } from '../../sandbox/engine/index.ts'
import type { FilesRef, MachineFiles } from './ports.ts'

/** What is sent at once, and what is opened while the engine unpacks what came before. */
const PIECE_BYTES = 262_144
const AHEAD_BYTES = 4 * 1_048_576

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
        if (engineStatus(error) !== 404) throw error
        // Without its container nothing is known of its volume.
        await docker.getContainer(containerOf(ref)).inspect({ abortSignal })
        return undefined
      }
    },
    async write(ref, archive, abortSignal) {
      const body = Readable.from(gathered(archive), { objectMode: false, highWaterMark: AHEAD_BYTES })
      const failed = new Promise<never>((_, reject) => void body.once('error', reject))
      failed.catch(() => {})
      const done = docker.getContainer(containerOf(ref)).putArchive(body, { path: mount, abortSignal })
      // An engine may take what came until its source failed for all there is.
      await Promise.race([done, failed])
      if (body.errored) throw body.errored
    },
  }
}

/** Each piece costs a turn of the loop and a write to the engine; most are a header or one chunk. */
async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of source) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes < PIECE_BYTES) continue
    yield Buffer.concat(pieces)
    pieces = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(pieces)
}
