import type { Duplex } from 'node:stream'
import type { MachineId } from '../../kernel/index.ts'
import type { Chats } from '../chat/index.ts'
import type { Machine } from '../machines/index.ts'
import { type SessionWatch, watchSession } from './session-watch.ts'

const AT_REST: ReadonlySet<Machine['observed']> = new Set(['paused', 'asleep', 'failed', 'deleted'])

/** One watch for each machine that runs, from when it does until its processes end. */
export function createSessionWatches(deps: {
  readonly chats: () => Promise<Chats>
  readonly open: (
    machine: MachineId,
    signal: AbortSignal,
  ) => Promise<{ readonly stream: Duplex; readonly gatewayToken: string }>
  readonly log: (message: string, error?: unknown) => void
}) {
  const watches = new Map<MachineId, SessionWatch>()

  const open = (id: MachineId): SessionWatch =>
    watchSession({
      open: (signal) => deps.open(id, signal),
      heard: async (runs, isFirst) => await (await deps.chats()).report(id, runs, isFirst),
      log: deps.log,
    })
  function close(id: MachineId): void {
    watches.get(id)?.close()
    watches.delete(id)
  }
  async function rest(id: MachineId): Promise<void> {
    await (await deps.chats()).rest(id)
  }

  return {
    changed({ id, observed }: Pick<Machine, 'id' | 'observed'>): void {
      if (observed === 'running') {
        watches.get(id)?.poke()
        if (!watches.has(id)) watches.set(id, open(id))
        return
      }
      if (!watches.has(id)) return
      if (!AT_REST.has(observed)) return
      if (observed !== 'paused') close(id)
      void rest(id).catch((error: unknown) =>
        deps.log('a turn of a machine that rests could not be ended', error),
      )
    },
    poke: (id: MachineId) => watches.get(id)?.poke(),
    close,
    closeAll(): void {
      for (const id of [...watches.keys()]) close(id)
    },
  }
}
