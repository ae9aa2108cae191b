/**
 * What unfinished messages hold in memory, of all sockets together: a message in fragments (RFC 6455, 5.4) is kept until its last one comes, and
 * whoever opens many sockets and ends no message would hold as many times the longest message.
 */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { fairShare, type TenantId } from '../../kernel/index.ts'

export interface UnfinishedBytes {
  /** Counts what comes by `raw` until `socket` has a whole message of it; `tooMuch`, once, where that is more than the tenant may hold. */
  watch(of: TenantId, socket: WebSocket, raw: Duplex, tooMuch: () => void): void
}

const MIB = 1_048_576
/** Of one tenant two messages of the longest; of all tenants together what a small host has. */
const SHARES = { total: 256 * MIB, perOwner: 50 * MIB }
/** Of a control frame: the least that it takes, so that what it is not counted for hides nothing. */
const CONTROL_HEAD = 2

export function createUnfinishedBytes(shares = SHARES): UnfinishedBytes {
  const held = new Map<TenantId, number>()
  let total = 0

  return {
    watch(of, socket, raw, tooMuch) {
      let own = 0
      let isOver = false
      const set = (bytes: number): void => {
        const next = Math.max(0, bytes)
        const all = (held.get(of) ?? 0) + next - own
        total += next - own
        own = next
        if (all === 0) held.delete(of)
        else held.set(of, all)
      }
      const control = (data: Buffer): void => set(own - data.length - CONTROL_HEAD)
      // Before the reader of frames has it, who may have a whole message by it.
      raw.prependListener('data', (chunk: Buffer) => {
        if (isOver) return
        set(own + chunk.length)
        const all = held.get(of) ?? 0
        if (all <= fairShare(shares, total - all)) return
        isOver = true
        tooMuch()
      })
      socket.on('message', () => set(0))
      socket.on('ping', control).on('pong', control)
      socket.once('close', () => {
        isOver = true
        set(0)
      })
    },
  }
}
