/** Networks of single runs: a bridge each, nobody else on it. */
import type Docker from 'dockerode'
import { ownLabels } from './container-config.ts'
import { answered, CALL_TIMEOUT_MS, EngineTimeout } from './engine-call.ts'

const REMOVE_ATTEMPTS = 5

export async function createRunNetwork(
  docker: Docker,
  instanceId: string,
  name: string,
): Promise<Docker.Network> {
  const created = docker.createNetwork({
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Attachable: false,
    EnableIPv6: false,
    Labels: ownLabels(instanceId),
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
  })
  try {
    return await answered(CALL_TIMEOUT_MS, () => created)
  } catch (error) {
    // It may still come into being.
    void created.then(removeRunNetwork).catch(() => {})
    throw error
  }
}

/** A network goes only once its container has left it, which the engine may be slow to notice. */
export async function removeRunNetwork(network: Docker.Network): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    try {
      await answered(CALL_TIMEOUT_MS, (abortSignal) => network.remove({ abortSignal }))
      return
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return
      // A sweep finds it when the engine answers again.
      if (error instanceof EngineTimeout) return
      await new Promise((resolve) => setTimeout(resolve, 50 * 3 ** attempt))
    }
  }
}
