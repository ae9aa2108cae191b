import type { ServerResponse } from 'node:http'
import type { BodySearch } from '../../domain/egress/index.ts'

/** Writes one answer to the code. What comes in one turn of the event loop goes out in one piece. */
export interface Answer {
  /** False when no more should come until `ready`. */
  write(chunk: Uint8Array): boolean
  end(): void
}

export interface AnswerHead {
  readonly status: number
  readonly headers: string[]
  /** What the body goes through; null when it passes as it is. */
  readonly search: BodySearch | null
  /** The request was no HEAD, so a body may be given a length. */
  readonly mayHaveBody: boolean
}

const MAX_HELD_BYTES = 64 * 1_024
const NOTHING = new Uint8Array(0)

/**
 * A short answer is whole in the turn in which it begins: it leaves with its length, in one write. Of a long one the
 * pieces of a turn leave together, the head and the first of them at the end of the turn in which they came.
 */
export function createAnswer(response: ServerResponse, head: AnswerHead, ready: () => void): Answer {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let begun = false
  let scheduled = true
  let blocked = false
  setImmediate(flush)

  function take(): Uint8Array {
    const all = held.length === 1 ? (held[0] ?? NOTHING) : Buffer.concat(held)
    held = []
    heldBytes = 0
    return all
  }

  /** Writes of one turn leave the socket together, so the pieces need not be copied into one first. */
  function writeHeld(): boolean {
    const pieces = held
    held = []
    heldBytes = 0
    let isRoom = true
    for (const piece of pieces) isRoom = response.write(piece)
    return isRoom
  }

  function begin(): void {
    if (begun) return
    begun = true
    response.sendDate = false
    response.writeHead(head.status, head.headers)
  }

  function flush(): void {
    scheduled = false
    if (response.destroyed || response.writableEnded) return
    begin()
    if (heldBytes === 0) {
      response.flushHeaders()
      return
    }
    if (writeHeld()) {
      if (blocked) resume()
    } else {
      blocked = true
      response.once('drain', resume)
    }
  }

  function resume(): void {
    blocked = false
    ready()
  }

  function keep(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    held.push(chunk)
    heldBytes += chunk.length
  }

  return {
    write(chunk) {
      keep(head.search === null ? chunk : head.search.push(chunk))
      if (!scheduled && heldBytes > 0) {
        scheduled = true
        setImmediate(flush)
      }
      if (heldBytes >= MAX_HELD_BYTES) blocked = true
      return !blocked
    },
    end() {
      if (response.destroyed) return
      if (head.search !== null) keep(head.search.end())
      if (!begun && head.mayHaveBody && !hasLength(head.headers)) {
        head.headers.push('content-length', String(heldBytes))
      }
      begin()
      response.end(take())
    },
  }
}

const hasLength = (headers: readonly string[]): boolean =>
  headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length')
