/** Connections of nobody who is known yet: what is in one machine opens them as it likes, and has no machine's secret for them but its own. */
import type { Socket } from 'node:net'
import { plainAddress } from '../../kernel/index.ts'

type End = Pick<Socket, 'remoteAddress' | 'remotePort'>

export interface Strangers extends Disposable {
  /** False where there are too many of its address; counted until it closes or is known. */
  admit(socket: Socket): boolean
  /** The same connection, or TLS over it. */
  known(socket: End): void
}

export function createStrangers(mostOfAddress: number): Strangers {
  const counts = new Map<string, number>()
  const counted = new Map<string, { readonly socket: Socket; readonly leave: () => void }>()
  const nameOf = ({ remoteAddress, remotePort }: End): string => `${remoteAddress} ${remotePort}`
  return {
    admit(socket) {
      const [name, address] = [nameOf(socket), plainAddress(socket.remoteAddress)]
      const count = counts.get(address) ?? 0
      if (count >= mostOfAddress) return false
      counts.set(address, count + 1)
      const leave = (): void => {
        if (counted.get(name)?.socket !== socket) return
        counted.delete(name)
        const left = (counts.get(address) ?? 1) - 1
        if (left > 0) counts.set(address, left)
        else counts.delete(address)
      }
      counted.set(name, { socket, leave })
      socket.once('close', leave)
      return true
    },
    known: (socket) => counted.get(nameOf(socket))?.leave(),
    // Of one in the midst of its handshake a server does not know yet.
    [Symbol.dispose]() {
      for (const { socket } of counted.values()) socket.destroy()
    },
  }
}
