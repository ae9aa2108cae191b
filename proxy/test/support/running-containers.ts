import Docker from 'dockerode'

/**
 * Looks at every container of an instance that runs, and tells at how many. A pool makes and clears away containers beside
 * a run: one that has not begun, or went while it was looked at, is left out. A run that the test holds is there throughout.
 */
export async function lookAtRunning(
  instance: string,
  look: (container: Docker.Container, details: Docker.ContainerInspectInfo) => Promise<void> | void,
): Promise<number> {
  const docker = new Docker()
  let looked = 0
  for (const { Id } of await docker.listContainers({ filters: { label: [`oauth3.instance=${instance}`] } })) {
    const container = docker.getContainer(Id)
    try {
      const details = await container.inspect()
      if (!details.State.Running) continue
      await look(container, details)
      looked += 1
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
  return looked
}

/** As the engine says it of a container, and the kernel of its first process. */
function isGone(error: unknown): boolean {
  const { statusCode, code } = error as { statusCode?: number; code?: string }
  return statusCode === 404 || statusCode === 409 || code === 'ENOENT' || code === 'ESRCH'
}
