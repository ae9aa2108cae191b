// What every runner on Node needs: the message from the daemon, and output that arrives whole.
//
// Standard input: 4 bytes big-endian length, then that many bytes of JSON:
//   { v: 2, code, env: { NAME: value }, ports?: [number], dynamicCode?: boolean, memoryBytes?: number, end?: text }
// `ports`: those of the approved hosts, for clients that dial by themselves.
// `dynamicCode`: whether the code may make code from text; a process that was started for the other is not taken.
// `memoryBytes`: what the run may use.
// `end`: text that is written to both output streams, followed by the exit code and a line feed, once the code has
// ended in good order; it lets the reader know the end before the container engine has noticed it.
import { existsSync, readSync, writeSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { dropConnections, GATEWAY } from './way-out.mjs'

const READY = 'oauth3-ready 1\n'
const WARMING_MS = 1_000

export const exitNow = process.reallyExit.bind(process)

/**
 * What the first request makes Node load and set up: done while nobody waits. The endpoint is shut until there is a run, and
 * its refusal is answer enough; no connection is kept, so that the run begins with its own.
 */
export async function warmFetch() {
  if (!existsSync(GATEWAY)) return
  // A request that only unreferenced sockets wait for would let the process end.
  const keepUp = setTimeout(() => {}, WARMING_MS * 2)
  const signal = AbortSignal.timeout(WARMING_MS)
  for (const scheme of ['http', 'https']) {
    await fetch(`${scheme}://warm.invalid/`, { signal })
      .then((answer) => answer.arrayBuffer())
      // What cannot be warmed is slow at its first use, no more.
      .catch(() => {})
  }
  // Refused before it came to that.
  createSecureContext()
  clearTimeout(keepUp)
  dropConnections()
}

function readFully(length) {
  const bytes = Buffer.alloc(length)
  for (let filled = 0; filled < length; ) {
    const count = readSync(0, bytes, filled, length - filled, null)
    if (count === 0) exitNow(125) // the daemon went away: nothing to run
    filled += count
  }
  return bytes
}

/** Standard output may be full, and need not block. */
export function writeFully(fd, bytes) {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written)
    } catch (error) {
      if (error.code !== 'EAGAIN') return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

export function fail(text) {
  writeFully(2, Buffer.from(`error: ${text}\n`))
  exitNow(1)
}

/** Says that the runner waits, and waits: nothing else happens in this process meanwhile. */
export function receive() {
  writeFully(1, Buffer.from(READY))
  const message = JSON.parse(readFully(readFully(4).readUInt32BE(0)).toString('utf8'))
  if (message.v !== 2)
    fail('this image is of another version than the daemon: build it anew with npm run images')
  for (const [name, value] of Object.entries(message.env)) {
    if (value.includes('\0')) fail(`${name} cannot be an environment variable`)
  }
  return message
}

/** The last thing that this process does. */
export function end(marker, code) {
  if (marker) {
    const bytes = Buffer.from(`${marker}${code}\n`)
    writeFully(1, bytes)
    writeFully(2, bytes)
  }
  exitNow(code)
}
