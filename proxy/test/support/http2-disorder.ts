/**
 * Clients and hosts that break off requests of HTTP/2 in every order, with the gateway between them:
 * `node http2-disorder.ts <first seed> <how many>` says each seed that is over, then `done`. It is a process of its own, so that
 * whoever started it notices when it stops answering. The same seed does the same, but for the order in which sockets are served.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { ask } from './gateway-client.ts'
import { createGatewayKit } from './gateway-kit.ts'
import { breakOff } from './http2-disorder-clients.ts'
import { sayFrames, startFrameDisorder } from './http2-disorder-frames.ts'
import { createDisorderHosts, HOST } from './http2-disorder-hosts.ts'
import { patience } from './pace.ts'
import { seeded } from './seeded.ts'

const [first = 1, count = 10] = process.argv.slice(2).map(Number)
const SECRET = 'demo-value-4f9a2c7e81b35d60'

// A loop in native code outlives whoever waits for it: of this process only another thread still runs then.
new Worker("setInterval(() => process.ppid === 1 && process.kill(process.pid, 'SIGKILL'), 500)", {
  eval: true,
}).unref()

const said = (line: string): void => void process.stdout.write(`${line}\n`)
const faults: unknown[] = []
/** What the gateway dialled; everybody else here comes by a unix socket or is dialled. */
const dialled = new Set<Socket>()
subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket }
  socket.once('connect', () => {
    if (socket.remotePort !== undefined) dialled.add(socket)
  })
  socket.once('close', () => dialled.delete(socket))
})
process.on('uncaughtException', (error) => {
  said(`crashed: ${error.stack}`)
  process.exit(1)
})

await using hosts = await createDisorderHosts()
await using wild = await startFrameDisorder(HOST, seeded(first))
await using kit = await createGatewayKit({ tls: { ca: [hosts.ca, wild.ca] } })
for (let seed = first; seed < first + count; seed += 1) {
  const random = seeded(seed)
  const places = hosts.ports.map((port) => `${HOST}:${port}`)
  const all = [...places, `${HOST}:${wild.port}`]
  const run = await kit.run(all, random.chance(0.5) ? { KEY: { value: SECRET, hosts: all } } : {})
  const problems = await breakOff(run.endpoint, places, random)
  await Promise.all(all.map((place) => sayFrames(run.endpoint, place, random)))
  for (const problem of problems) faults.push(`seed ${seed}: ${problem}`)
  // Whoever comes next is served.
  for (const place of places) {
    const next = await ask(run.endpoint, `https://${place}/answer?bytes=1000`)
    if (next.status !== 200 || next.body.length !== 1_000)
      faults.push(`seed ${seed}: ${place} ${next.status}`)
  }
  await run.endpoint.close()
  said(`seed ${seed}`)
}
for (const logged of kit.logged) faults.push(`logged: ${String(logged)}`)
// Free connections are closed by themselves after some seconds; what was broken off is closed at once.
const until = performance.now() + patience(20_000)
while (dialled.size > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 50))
if (dialled.size > 0) faults.push(`${dialled.size} connections are left`)
for (const fault of faults) said(`fault: ${fault}`)
said(`done`)
process.exit(faults.length === 0 ? 0 : 1)
