/**
 * Finds a run's end marker in one output stream. Bytes before it pass through at once, except a tail that could
 * be the marker's beginning; bytes behind it are dropped.
 */
export interface MarkerScanner {
  /** The bytes that are output for certain. */
  push(chunk: Buffer): Buffer
  /** What was held back, when the stream ends without a marker. */
  flush(): Buffer
  /** The exit code behind the marker, once seen. */
  readonly exitCode: number | null
}

const EMPTY = Buffer.alloc(0)
const LONGEST_EXIT_CODE = 12

export function createMarkerScanner(marker: string): MarkerScanner {
  const needle = Buffer.from(marker)
  let held = EMPTY
  let exitCode: number | null = null

  /** Length of the longest suffix that may still become the marker. */
  function openTail(bytes: Buffer): number {
    const from = Math.max(0, bytes.length - needle.length + 1)
    for (let at = bytes.indexOf(0, from); at !== -1; at = bytes.indexOf(0, at + 1)) {
      if (needle.subarray(0, bytes.length - at).equals(bytes.subarray(at))) return bytes.length - at
    }
    return 0
  }

  return {
    push(chunk) {
      if (exitCode !== null) return EMPTY
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const at = bytes.indexOf(needle)
      if (at === -1) {
        const tail = openTail(bytes)
        held = Buffer.from(bytes.subarray(bytes.length - tail))
        return bytes.subarray(0, bytes.length - tail)
      }
      const rest = bytes.subarray(at + needle.length)
      const end = rest.indexOf(0x0a)
      if (end === -1 && rest.length <= LONGEST_EXIT_CODE) {
        held = Buffer.from(bytes.subarray(at))
        return bytes.subarray(0, at)
      }
      held = EMPTY
      const code = Number(rest.subarray(0, Math.max(end, 0)).toString('latin1'))
      // A process shows its parent the low eight bits only.
      exitCode = Number.isInteger(code) ? code & 0xff : 1
      return bytes.subarray(0, at)
    },
    flush() {
      const rest = held
      held = EMPTY
      return exitCode === null ? rest : EMPTY
    },
    get exitCode() {
      return exitCode
    },
  }
}
