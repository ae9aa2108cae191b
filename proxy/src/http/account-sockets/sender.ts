import type { WebSocket } from 'ws'
import { passedOn } from '../../kernel/index.ts'

/** What messages are read from: it is read no further while too much waits. */
interface Source {
  pause(): unknown
  resume(): unknown
}

/** Backpressure: what waits for a reader that is slow, before the other side is read no further. */
const MAX_WAITING_BYTES = 1_048_576

/** Sends on what is read of `from`, as fast as `to` takes it; nothing once that closes. */
export function createSender(from: Source, to: WebSocket): (data: Buffer, isBinary: boolean) => void {
  let waiting = 0
  let isHeld = false
  return (data, isBinary) => {
    if (to.readyState !== to.OPEN) return
    waiting += data.length
    if (waiting > MAX_WAITING_BYTES) {
      isHeld = true
      from.pause()
    }
    to.send(data, { binary: isBinary }, () => {
      waiting -= data.length
      passedOn(data.length)
      if (!isHeld || waiting > MAX_WAITING_BYTES / 2) return
      isHeld = false
      from.resume()
    })
  }
}
