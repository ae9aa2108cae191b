import { buffer } from 'node:stream/consumers'
import type Docker from 'dockerode'

export interface ContainerSearch {
  /** How much was searched; 0 where no container was found. */
  readonly bytes: number
  readonly found: boolean
}

/** Environments and arguments of all that runs in there, and the files that can be written; the image is the same for everybody. */
const COPY = 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; tar cf - /tmp /run 2>/dev/null; true'

/**
 * Looks for `secret` in the containers of runs that go on, from outside: what is in them is brought here and searched here, since a
 * search in there would bring the secret in.
 */
export async function searchContainers(
  docker: Docker,
  image: string,
  secret: string,
): Promise<ContainerSearch> {
  const containers = await docker.listContainers({ filters: { ancestor: [image], status: ['running'] } })
  const texts = await Promise.all(
    containers.map(async ({ Id }) => {
      const container = docker.getContainer(Id)
      // With all capabilities: the environment of the CLI is closed to its own user.
      const exec = await container.exec({
        ...{ Cmd: ['sh', '-c', COPY], User: '0', Privileged: true, AttachStdout: true },
      })
      const inside = await buffer(await exec.start({}))
      return Buffer.concat([inside, Buffer.from(JSON.stringify(await container.inspect()))])
    }),
  )
  return {
    bytes: texts.reduce((sum, { length }) => sum + length, 0),
    found: texts.some((text) => text.includes(secret)),
  }
}
