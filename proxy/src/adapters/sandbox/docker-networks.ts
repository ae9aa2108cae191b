/** Networks of single runs: a bridge each, nobody else on it. */
import type Docker from 'dockerode'
import { ownLabels } from './container-config.ts'

const REMOVE_ATTEMPTS = 5

export async function createRunNetwork(
  docker: Docker,
  instanceId: string,
  name: string,
): Promise<Docker.Network> {
  return docker.createNetwork({
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Attachable: false,
    EnableIPv6: false,
    Labels: ownLabels(instanceId),
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
  })
}

/** A network goes only once its container has left it, which the engine may be slow to notice. */
export async function removeRunNetwork(network: Docker.Network): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    try {
      await network.remove()
      return
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return
      await new Promise((resolve) => setTimeout(resolve, 50 * 3 ** attempt))
    }
  }
}
