import type { EgressSession } from '../../egress/index.ts'
import { REQUESTS_PER_CALL } from './call-lines.ts'
import type { ToolEffect } from './tool-policy.ts'

/** What approved calls of one run have open in the wall of its container. */
export interface Openings {
  /** For the call of this id; in place of what it had open. */
  open(id: string, effect: ToolEffect): void
  close(id: string): void
  closeAll(): void
}

export function createOpenings(egress: Pick<EgressSession, 'admit'> | null): Openings {
  const open = new Map<string, Disposable>()
  const close = (id: string): void => {
    open.get(id)?.[Symbol.dispose]()
    open.delete(id)
  }
  return {
    open(id, effect) {
      close(id)
      if (effect.kind !== 'host' || egress === null) return
      // What the card says: this host, to read, a number of times.
      const entry = {
        ...{ host: effect.host, methods: ['GET'], paths: ['/**'], requests: REQUESTS_PER_CALL },
        ...{ websocket: false, graphql: 'query' as const },
      }
      open.set(id, egress.admit([entry]))
    },
    close,
    closeAll() {
      for (const id of [...open.keys()]) close(id)
    },
  }
}
