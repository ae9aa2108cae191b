import { basename } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type Docker from 'dockerode'

export interface ContainerSearch {
  /** How much was searched; 0 where no container was found, or one could not be looked into. */
  readonly bytes: number
  readonly found: boolean
}

const DONE = 'all of it was copied'
/** Environments and arguments of all that runs in there, and the files that can be written; the image is the same for everybody. */
const COPY = `cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; tar cf - /tmp /run /state 2>/dev/null; echo ${DONE}`
/** All capabilities first, since the environment of the CLI is closed to its own user; an engine that cannot give them lets that user look. */
const LOOKING_AS = [{ User: '0', Privileged: true }, {}]
/** Of a frame of the engine's stream: its kind, and its length in the last four bytes. */
const FRAME_HEADER_BYTES = 8

/**
 * Looks for `secret` in the containers of `image` that see sockets below `folder`, from outside: what is in them is brought here and
 * searched here, since a search in there would bring the secret in. Other daemons' containers are left alone.
 */
export async function searchContainers(
  docker: Docker,
  { image, folder, secret }: { readonly image: string; readonly folder: string; readonly secret: string },
): Promise<ContainerSearch> {
  const running = await docker.listContainers({ filters: { ancestor: [image], status: ['running'] } })
  const own = running.filter(({ Mounts }) => Mounts.some(({ Source }) => Source?.includes(basename(folder))))
  const texts = await Promise.all(
    own.map(async ({ Id }) => {
      const container = docker.getContainer(Id)
      const inside = await copyOf(container)
      return inside && Buffer.concat([inside, Buffer.from(JSON.stringify(await container.inspect()))])
    }),
  )
  if (!texts.every((text) => text !== undefined)) return { bytes: 0, found: false }
  return {
    bytes: texts.reduce((sum, { length }) => sum + length, 0),
    found: texts.some((text) => text.includes(secret)),
  }
}

/** Undefined where it did not come to its end: an engine that refuses says so in the stream. */
async function copyOf(container: Docker.Container): Promise<Buffer | undefined> {
  for (const who of LOOKING_AS) {
    const exec = await container.exec({ Cmd: ['sh', '-c', COPY], AttachStdout: true, ...who })
    const text = unframed(await buffer(await exec.start({})))
    if (text.subarray(-DONE.length - 1).toString() === `${DONE}\n`) return text
  }
  return undefined
}

/** Frames would otherwise cut what is looked for in two. */
function unframed(stream: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + FRAME_HEADER_BYTES <= stream.length; ) {
    const from = at + FRAME_HEADER_BYTES
    at = from + stream.readUInt32BE(from - 4)
    parts.push(stream.subarray(from, at))
  }
  return Buffer.concat(parts)
}
