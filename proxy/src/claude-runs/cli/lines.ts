/**
 * Lines of a stream, ended by a line feed and nothing else. Bounded twice, since what writes them may be under the influence of
 * whoever wrote the prompt: a line, and all lines together.
 */
export interface LineReader {
  push(bytes: Uint8Array): void
  /** Bytes so far. */
  readonly bytes: number
}

export interface LineLimits {
  readonly lineBytes: number
  readonly totalBytes: number
}

/** Behind a limit `onOverflow` is called once and nothing is read any more. Bytes that are no UTF-8 become U+FFFD. */
export function createLineReader(
  limits: LineLimits,
  onLine: (line: string) => void,
  onOverflow: (which: 'line' | 'total') => void,
): LineReader {
  let parts: Uint8Array[] = []
  let held = 0
  let total = 0
  let isOver = false

  const overflow = (which: 'line' | 'total'): void => {
    isOver = true
    parts = []
    onOverflow(which)
  }

  return {
    push(bytes) {
      if (isOver) return
      total += bytes.length
      if (total > limits.totalBytes) return overflow('total')
      let from = 0
      for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, from)) {
        const last = bytes.subarray(from, at)
        if (held + last.length > limits.lineBytes) return overflow('line')
        const line =
          parts.length === 0
            ? Buffer.from(last.buffer, last.byteOffset, last.length)
            : Buffer.concat([...parts, last])
        parts = []
        held = 0
        from = at + 1
        onLine(line.toString('utf8'))
        if (isOver) return
      }
      if (from === bytes.length) return
      // A copy: the engine's buffers are used again.
      parts.push(Uint8Array.prototype.slice.call(bytes, from))
      held += bytes.length - from
      if (held > limits.lineBytes) overflow('line')
    },
    get bytes() {
      return total
    },
  }
}
