import type Docker from 'dockerode'
import { answered, CALL_TIMEOUT_MS, EngineTimeout, LABEL_INSTANCE, LABEL_ROLE } from '../../engine/index.ts'
import type { Slots } from '../slots.ts'

/**
 * Removes what an earlier life of this instance left in the engine, found by label; how many things. What has one of the names
 * stays, and so does what an engine that hangs does not remove in time.
 */
export async function sweepLeftovers(
  docker: Docker,
  instanceId: string,
  inUse: { readonly names: () => ReadonlySet<string>; readonly removeSlot: Slots },
): Promise<number> {
  const filters = { label: [`${LABEL_INSTANCE}=${instanceId}`] }
  const listed = await answered(CALL_TIMEOUT_MS, (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  )
  const names = inUse.names()
  const containers = listed.filter(
    ({ Names, Labels }) =>
      // Machines outlive the daemon.
      Labels[LABEL_ROLE] !== 'machine' && !Names.some((name) => names.has(name.slice(1))),
  )
  let hung = false
  const removed = await Promise.all(
    containers.map(({ Id }) =>
      inUse.removeSlot(async () => {
        if (hung) return 0
        try {
          await answered(CALL_TIMEOUT_MS, (abortSignal) =>
            docker.getContainer(Id).remove({ force: true, v: true, abortSignal }),
          )
          return 1
        } catch (error) {
          hung ||= error instanceof EngineTimeout
          return 0
        }
      }),
    ),
  )
  // Of a version without the gateway, from which one may come (DEPLOYMENT.md, "Upgrade").
  const networks = await answered(CALL_TIMEOUT_MS, (abortSignal) =>
    docker.listNetworks({ filters, abortSignal }),
  )
  await Promise.all(
    networks.map(({ Id }) =>
      answered(CALL_TIMEOUT_MS, (abortSignal) => docker.getNetwork(Id).remove({ abortSignal })).catch(
        () => {},
      ),
    ),
  )
  return removed.reduce((sum: number, one) => sum + one, 0) + networks.length
}
