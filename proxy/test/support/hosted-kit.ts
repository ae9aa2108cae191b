/** Hosted agents for tests: a machine that speaks as the image of OpenClaw does, and hosted agents played without an engine. */
import type { Hosting } from '../../src/compose/compose-hosting.ts'
import type { HostedAgent } from '../../src/hosting/agents/index.ts'
import { AppError } from '../../src/kernel/index.ts'
import { sampleMachine } from './machine-kit.ts'

/**
 * Runs in Deno's image. Dials `machine.sock` until it answers; a gateway of it asks the model what it is told, by `model.sock`, and
 * the agent API by `agent.sock` where the text says so (`api GET /path`). `shell CODE` evaluates, as an agent's shell would.
 */
export const PLAYED_MACHINE = `
  Deno.addSignalListener('SIGTERM', () => Deno.exit(0))
  const dir = '/run/oauth3/'
  const enc = new TextEncoder(), dec = new TextDecoder()
  const dial = async (name) => { for (;;) { try { return await Deno.connect({ transport: 'unix', path: dir + name }) } catch { await new Promise((r) => setTimeout(r, 50)) } } }
  async function* lines(conn) {
    let rest = ''
    const part = new Uint8Array(65536)
    for (let n; (n = await conn.read(part).catch(() => null)) !== null; ) {
      rest += dec.decode(part.subarray(0, n))
      for (let at; (at = rest.indexOf('\\n')) >= 0; rest = rest.slice(at + 1)) yield rest.slice(0, at)
    }
  }
  const writeAll = async (conn, text) => { const b = enc.encode(text); for (let at = 0; at < b.length; ) at += await conn.write(b.subarray(at)) }
  async function call(name, method, path, headers, body) {
    const conn = await Deno.connect({ transport: 'unix', path: dir + name })
    const head = Object.entries({ host: 'x', connection: 'close', 'content-type': 'application/json', 'content-length': enc.encode(body).length, ...headers })
    await writeAll(conn, method + ' ' + path + ' HTTP/1.1\\r\\n' + head.map(([k, v]) => k + ': ' + v + '\\r\\n').join('') + '\\r\\n' + body)
    let all = ''
    const part = new Uint8Array(65536)
    for (let n; (n = await conn.read(part).catch(() => null)) !== null; ) all += dec.decode(part.subarray(0, n))
    conn.close()
    return all
  }
  let configuration, woken = ''
  const file = '/state/home/said'
  async function answer(text) {
    await Deno.writeTextFile(file, text + '\\n', { append: true })
    if (text === 'history') return await Deno.readTextFile(file)
    if (text === 'woken') return woken
    if (text.startsWith('api ')) { const [, method, path] = text.split(' '); return await call('agent.sock', method, path, { authorization: 'Bearer ' + configuration.token }, '') }
    if (text.startsWith('shell ')) return String(await (new (Object.getPrototypeOf(async () => {}).constructor)('configuration', 'call', text.slice(6)))(configuration, call))
    const model = configuration.providers[0].models[0].id
    const raw = await call('model.sock', 'POST', configuration.providers[0].path + '/v1/messages', { 'x-api-key': 'the-socket-is-the-identity', 'anthropic-version': '2023-06-01' },
      JSON.stringify({ model, max_tokens: 1024, messages: [{ role: 'user', content: text }] }))
    try { return JSON.parse(raw.slice(raw.indexOf('{'), raw.lastIndexOf('}') + 1)).content[0].text } catch { return raw }
  }
  async function gateway(id) {
    const conn = await dial('machine.sock')
    await writeAll(conn, JSON.stringify({ oauth3: 1, role: 'stream', stream: id }) + '\\n')
    let all = ''
    const part = new Uint8Array(65536)
    for (let n; (n = await conn.read(part).catch(() => null)) !== null; ) {
      all += dec.decode(part.subarray(0, n))
      const end = all.indexOf('\\r\\n\\r\\n'), length = Number(/content-length: (\\d+)/i.exec(all)?.[1] ?? 0)
      if (end < 0 || enc.encode(all.slice(end + 4)).length < length) continue
      const isMine = all.includes('Bearer played-gateway-token')
      const text = JSON.parse(all.slice(end + 4)).messages[0].content
      const said = isMine ? await answer(text).catch((e) => 'error: ' + e) : ''
      const body = JSON.stringify({ choices: [{ message: { role: 'assistant', content: said } }] })
      await writeAll(conn, 'HTTP/1.1 ' + (isMine ? '200 OK' : '401 no') + '\\r\\ncontent-type: application/json\\r\\nconnection: close\\r\\ncontent-length: ' + enc.encode(body).length + '\\r\\n\\r\\n' + body)
      break
    }
    conn.close()
  }
  for (;;) {
    const control = await dial('machine.sock')
    const tell = (message) => writeAll(control, JSON.stringify(message) + '\\n').catch(() => {})
    await tell({ oauth3: 1, role: 'control', image: 'played' })
    for await (const line of lines(control)) {
      const message = JSON.parse(line)
      if (message.do === 'configure') { configuration = message; await tell({ log: 'configured' }); await tell({ state: 'ready', gatewayToken: 'played-gateway-token', ms: 1 }) }
      if (message.do === 'probe') await tell({ probe: message.id, ready: true })
      if (message.do === 'open') void gateway(message.stream).catch(() => {})
      if (message.do === 'wake') { woken += message.text; await tell({ woke: message.id, status: 200, outcome: 'queued' }) }
    }
    try { control.close() } catch {}
  }
`

/** Without an engine: an order is done at once. */
export function createPlayedHosting(): Hosting {
  const hosts = new Map<string, HostedAgent>()
  const found = (name: string): HostedAgent => {
    const host = hosts.get(name)
    if (host === undefined) throw new AppError('not_found', `No hosted agent named ${name}.`)
    return host
  }
  return {
    list: async () => [...hosts.values()],
    async add({ name, provider, model }) {
      if (hosts.has(name)) throw new AppError('conflict', 'There is a hosted agent of this name.')
      const settings = { agent: 'agt_0000000000000001', provider, model }
      const machine = sampleMachine({ name })
      const host: HostedAgent = {
        machine: { ...machine, spec: { ...machine.spec, settings } },
        forecast: { at: machine.createdAt + 600_000, to: 'paused', because: 'it was made just now' },
      }
      hosts.set(name, host)
      return host
    },
    async order(name, order) {
      const { machine, forecast } = found(name)
      const observed = order === 'sleep' ? 'paused' : order === 'stop' ? 'asleep' : 'running'
      const host = { machine: { ...machine, observed }, forecast } as const
      if (order === 'remove') hosts.delete(name)
      else hosts.set(name, host)
      return host
    },
    async reach(name, { allow, deny }) {
      const { machine, forecast } = found(name)
      const egress = [...(machine.spec.egress ?? []), ...allow].filter((host) => !deny.includes(host))
      const host = { machine: { ...machine, spec: { ...machine.spec, egress } }, forecast }
      hosts.set(name, host)
      return host
    },
    async chat(name, text) {
      found(name)
      return `you said: ${text}`
    },
    tell: async () => 200,
    start: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
