/** How much stands outside V8's heap until then; a collection of what is young takes some tenths of a millisecond. */
const EACH_BYTES = 8 * 1_048_576

let bytes = 0

/**
 * To be told of what a stream read and handed on at once. Each read is a buffer outside V8's heap, which V8 counts: for each 40 MB
 * or so it marks its whole heap, in a daemon four times the work of the copy itself. They are garbage of the young generation, which is
 * collected here instead; where Node has no `--expose-gc` nothing happens.
 */
export function passedOn(length: number): void {
  bytes += length
  if (bytes < EACH_BYTES) return
  bytes = 0
  void globalThis.gc?.({ type: 'minor', execution: 'sync' })
}
