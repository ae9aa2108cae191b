import { anyCapability, type Capability } from '../../egress/capabilities/index.ts'
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
      if (egress === null) return
      if (effect.kind === 'network') open.set(id, egress.admit([anyCapability(effect.host)]))
      if (effect.kind === 'host') open.set(id, egress.admit([readingOf(effect.host)]))
    },
    close,
    closeAll() {
      for (const id of [...open.keys()]) close(id)
    },
  }
}

/** What the card says: this host, to read, a number of times. */
const readingOf = (host: string): Capability => ({
  ...{ host, methods: ['GET'], paths: ['/**'], requests: REQUESTS_PER_CALL },
  ...{ websocket: false, graphql: 'query' },
})
