import { isFinal } from '../executions/index.ts'
import type { AgentId, MachineId, RequestId } from '../kernel/index.ts'
import type { TenantCore } from './daemon-core.ts'

/** Agents whose newest outcome is remembered. */
const MAX_AGENTS = 1_000

/**
 * Which request woke a hosted agent: one of its own that it fetched just then, or else the one that was decided last. What it says of others' is
 * not believed.
 */
export function createOutcomes({ events, storage }: Pick<TenantCore, 'events' | 'storage'>) {
  const newest = new Map<AgentId, RequestId>()
  events.subscribe('execution.changed', ({ execution: { agentId, requestId, status } }, tx) => {
    if (!isFinal(status)) return
    tx.onCommit(() => {
      newest.delete(agentId)
      newest.set(agentId, requestId)
      const [oldest] = newest.keys()
      if (newest.size > MAX_AGENTS && oldest !== undefined) newest.delete(oldest)
    })
  })
  return {
    requestOf: (id: MachineId, fetched: readonly string[]): Promise<RequestId | null> =>
      storage.read(async (tx) => {
        const machine = await tx.machines.byId(id)
        const agent = (machine?.spec.settings?.agent ?? '') as AgentId
        const last = newest.get(agent) ?? null
        newest.delete(agent)
        for (const one of fetched) {
          const request = await tx.executions.byRequestId(one as RequestId)
          if (request?.agentId === agent) return request.requestId
        }
        return last
      }),
  }
}
