import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into a daemon (`--import`): the longest time in which its event loop came to no timer since it was last asked, on a socket at
 * BENCH_LOOP_PROBE. Beside it what the loop's own thread worked meanwhile: the rest is the disk, or others on the machine.
 */
const path = process.env.BENCH_LOOP_PROBE ?? ''
// Threads of the daemon load it too.
if (isMainThread) watch()

function watch(): void {
  let longest = { wallMs: 0, cpuMs: 0 }
  let mostCpuMs = 0
  let at = performance.now()
  let cpu = process.threadCpuUsage()
  setInterval(() => {
    const now = performance.now()
    const { user, system } = process.threadCpuUsage(cpu)
    const cpuMs = (user + system) / 1_000
    if (now - at > longest.wallMs) longest = { wallMs: now - at, cpuMs }
    mostCpuMs = Math.max(mostCpuMs, cpuMs)
    at = performance.now()
    cpu = process.threadCpuUsage()
  }, 1).unref()

  rmSync(path, { force: true })
  createServer((socket) => {
    socket.end(JSON.stringify({ ...longest, mostCpuMs, rssMib: process.memoryUsage().rss / 1_048_576 }))
    longest = { wallMs: 0, cpuMs: 0 }
    mostCpuMs = 0
  })
    .listen(path)
    .unref()
}
