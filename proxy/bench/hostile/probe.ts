import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { createServer } from 'node:http'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into the daemon's process by `--import`, so that the daemon has no endpoint for it: tells how late its event loop
 * is on a socket of its own, and has names under `.silent.test` looked up at a server that never answers.
 */
const RESOLUTION_MS = 5
const socket = process.env.BENCH_PROBE_SOCKET

if (isMainThread && socket !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let busy = performance.eventLoopUtilization()
  createServer((request, response) => {
    const now = performance.eventLoopUtilization()
    // The histogram holds whole intervals of its clock: what is over that is lateness.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
    const figures = {
      p50: late(delay.percentile(50)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
      busy: performance.eventLoopUtilization(now, busy).utilization,
    }
    if (request.url === '/reset') {
      delay.reset()
      busy = now
    }
    response.end(JSON.stringify(figures))
  })
    .listen(socket)
    .unref()

  const silent = createSocket('udp4').bind(0, '127.0.0.1').unref()
  const resolve4 = Resolver.prototype.resolve4 as (...all: unknown[]) => unknown
  // It is asked first, and what it is told holds for the other queries of its resolver.
  Resolver.prototype.resolve4 = function (this: Resolver, host: string, ...rest: unknown[]) {
    if (host.endsWith('.silent.test')) this.setServers([`127.0.0.1:${silent.address().port}`])
    return resolve4.call(this, host, ...rest)
  } as never
}
