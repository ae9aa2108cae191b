/** Hosted agents for tests: a machine that speaks as the image of OpenClaw does, and hosted agents played without an engine. */
import { once } from 'node:events'
import type { Hosting } from '../../src/compose/compose-hosting.ts'
import { desktopName } from '../../src/contracts/index.ts'
import type { HostedAgent } from '../../src/hosting/agents/index.ts'
import type { AgentBots } from '../../src/hosting/bots/index.ts'
import type { OpenedTurn } from '../../src/hosting/chat/index.ts'
import { AppError, type RequestId, sha256Hex } from '../../src/kernel/index.ts'
import { sampleMachine } from './machine-kit.ts'

type BotView = NonNullable<Awaited<ReturnType<AgentBots['show']>>>

/**
 * Runs in Deno's image. Dials `machine.sock` until it answers; a gateway of it asks the model what it is told, by `model.sock`, and
 * the agent API by `agent.sock` where the text says so (`api GET /path`). `shell CODE` evaluates, as an agent's shell would; `pieces A|B` asks
 * the model for each, and tells each as it comes; `plainly TEXT` says it back; `print A|B` prints each, as what its machine prints. `uses TOOL
 * ARGUMENTS` records a use of a tool that ends when the model has answered it; `once woken TEXT` has it say so when it is woken next, `wakes
 * REQUEST` wakes it itself. Its record is of the form of OpenClaw 2026.9.6's.
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
  let configuration, woken = '', onceWoken, print = async () => {}
  const file = '/state/home/said', path = '/state/home/record.json'
  const record = await Deno.readTextFile(path).then(JSON.parse, () => [])
  const watching = new Set()
  const history = () => JSON.stringify({ sessionKey: 'agent:main:main', messages: record.slice(-60), hasMore: false })
  // A conversation has one run at a time.
  let noting = Promise.resolve(), lane = Promise.resolve()
  const note = (message, of) => (noting = noting.then(() => noteNow(message, of)))
  const noteNow = async (message, of) => {
    record.push({ ...message, timestamp: Date.now(), __openclaw: { id: crypto.randomUUID(), seq: record.length + 1, ...of } })
    await Deno.writeTextFile(path, JSON.stringify(record))
    for (const told of watching) await told('event: history\\ndata: ' + history() + '\\n\\n').catch(() => watching.delete(told))
  }
  const calls = (of, id, name, args, more) => note({ role: 'assistant', stopReason: 'toolUse', model: 'played', content: [{ type: 'toolCall', id, name, arguments: args }] }, { runId: of.run, ...more })
  const results = (of, id, isError) => note({ role: 'toolResult', toolCallId: id, isError, content: [{ type: 'text', text: 'done' }] }, { runId: of.run })
  const says = (of, text, more) => note({ role: 'assistant', stopReason: 'stop', model: 'played', content: [{ type: 'text', text }] }, { runId: of.run, ...more })
  /** As the agent does: it fetches the outcome, and says what came of it. */
  const wakes = (text) => (lane = lane.then(() => wakesNow(text)))
  async function wakesNow(text) {
    if (onceWoken === undefined) return
    const of = { run: crypto.randomUUID() }, said = onceWoken, id = 'toolu_' + of.run
    onceWoken = undefined
    await calls(of, id, 'tool_call', { id: 'oauth3_status', args: { request_id: /req_[0-9a-f]{32}/.exec(text)?.[0] ?? '' } }, { turnBoundary: true })
    await results(of, id, false)
    await says(of, said)
  }
  const askModel = async (model, messages) => {
    const raw = await call('model.sock', 'POST', configuration.providers[0].path + '/v1/messages', { 'x-api-key': 'the-socket-is-the-identity', 'anthropic-version': '2023-06-01' },
      JSON.stringify({ model, max_tokens: 1024, messages }))
    try { return JSON.parse(raw.slice(raw.indexOf('{'), raw.lastIndexOf('}') + 1)).content[0].text } catch { return raw }
  }
  async function answer(text, of) {
    const { model, session, messages } = of
    await Deno.writeTextFile(file, text + '\\n', { append: true })
    if (text === 'history') return await Deno.readTextFile(file)
    if (text === 'woken') return woken
    if (text.startsWith('api ')) { const [, method, path] = text.split(' '); return await call('agent.sock', method, path, { authorization: 'Bearer ' + configuration.token }, '') }
    if (text.startsWith('shell ')) return String(await (new (Object.getPrototypeOf(async () => {}).constructor)('configuration', 'call', text.slice(6)))(configuration, call))
    if (text === 'which session') return session
    if (text.startsWith('plainly ')) return text.slice(8)
    if (text.startsWith('print ')) { for (const line of text.slice(6).split('|')) await print({ log: line }); return 'printed' }
    if (text.startsWith('wakes ')) { void wakes(text); return 'I woke.' }
    if (text.startsWith('once woken ')) { onceWoken = text.slice(11); return 'I will.' }
    if (text.startsWith('uses ')) {
      const [, tool, args] = /^uses (\\S+) ?(.*)$/s.exec(text), id = 'toolu_' + crypto.randomUUID()
      await calls(of, id, tool, JSON.parse(args || '{}'))
      const said = await askModel(of.model, [{ role: 'user', content: text }])
      await results(of, id, tool === 'fails')
      return said
    }
    return await askModel(model, messages.filter(({ role }) => role !== 'system'))
  }
  async function* pieces(text, of) {
    if (text.startsWith('pieces ')) for (const piece of text.slice(7).split('|')) yield await askModel(of.model, [{ role: 'user', content: piece }])
    else yield await answer(text, of).catch((e) => 'error: ' + e)
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
      if (/^GET \\/sessions\\/agent%3Amain%3Amain\\/history/.test(all)) {
        const follows = /accept: text\\/event-stream/i.test(all)
        if (record.length === 0 || !isMine) { await writeAll(conn, 'HTTP/1.1 404 Not Found\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n'); break }
        const type = follows ? 'text/event-stream' : 'application/json'
        const told = (text) => writeAll(conn, text)
        await told('HTTP/1.1 200 OK\\r\\ncontent-type: ' + type + '\\r\\nconnection: close\\r\\n\\r\\n' + (follows ? 'retry: 1000\\n\\nevent: history\\ndata: ' + history() + '\\n\\n' : history()))
        if (!follows) break
        watching.add(told)
        while ((await conn.read(part).catch(() => null)) !== null);
        watching.delete(told)
        break
      }
      const { messages } = JSON.parse(all.slice(end + 4))
      const header = (name) => new RegExp(name + ': ([^\\r]+)', 'i').exec(all.slice(0, end))?.[1]
      const of = { messages, run: 'chatcmpl_' + crypto.randomUUID(), session: header('x-openclaw-session-key') ?? 'none', model: header('x-openclaw-model')?.split('/')[1] ?? configuration.providers[0].models[0].id }
      await writeAll(conn, 'HTTP/1.1 ' + (isMine ? '200 OK' : '401 no') + '\\r\\ncontent-type: text/event-stream\\r\\nconnection: close\\r\\n\\r\\n')
      if (!isMine) break
      const tell = (data) => writeAll(conn, 'data: ' + JSON.stringify(data) + '\\n\\n')
      const isMain = of.session === 'agent:main:main'
      const { promise: isOver, resolve: release } = Promise.withResolvers()
      if (isMain) lane = lane.then(() => isOver)
      try {
      if (isMain) await note({ role: 'user', content: messages.at(-1).content })
      await tell({ id: of.run, choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: null }] })
      let said = ''
      for await (const content of pieces(messages.at(-1).content, of)) { said += content; await tell({ id: of.run, choices: [{ index: 0, delta: { content }, finish_reason: null }] }) }
      if (isMain) await says(of, said)
      } finally { release() }
      await tell({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
      await tell({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } })
      await writeAll(conn, 'data: [DONE]\\n\\n')
      break
    }
    conn.close()
  }
  for (;;) {
    const control = await dial('machine.sock')
    const tell = (message) => writeAll(control, JSON.stringify(message) + '\\n').catch(() => {})
    print = tell
    await tell({ oauth3: 1, role: 'control', image: 'played', openclaw: '2026.9.6', node: 'not a\\nversion' })
    for await (const line of lines(control)) {
      const message = JSON.parse(line)
      if (message.do === 'configure') { configuration = message; await tell({ log: 'configured' }); await tell({ state: 'ready', gatewayToken: 'played-gateway-token', ms: 1 }) }
      if (message.do === 'probe') await tell({ probe: message.id, ready: true })
      if (message.do === 'open') void gateway(message.stream).catch(() => {})
      if (message.do === 'wake') { woken += message.text; void wakes(message.text); await tell({ woke: message.id, status: 200, outcome: 'queued' }) }
    }
    try { control.close() } catch {}
  }
`

/** Without Telegram: a bot that Ann is paired with. */
function createPlayedBots(found: (name: string) => HostedAgent): Hosting['bots'] {
  const bots = new Map<string, BotView>()
  const botOf = (name: string): BotView => {
    const bot = bots.get(found(name).machine.name)
    if (bot === undefined) throw new AppError('not_found', `${name} has no bot.`)
    return bot
  }
  return {
    show: async (name) => bots.get(found(name).machine.name) ?? null,
    async add(name, token) {
      const chats = [{ chat: '1001', name: 'Ann', pairedAt: 3 }]
      const bot = { username: 'claw_bot', lastFour: token.open().slice(-4), createdAt: 2, chats }
      bots.set(found(name).machine.name, { ...bot, connected: true, problem: null, refused: 1 })
      return botOf(name)
    },
    async newCode(name) {
      const { username } = botOf(name)
      return { code: 'played-code', link: `https://t.me/${username}?start=played-code`, until: 4_000_000 }
    },
    async unpair(name, chat) {
      const bot = botOf(name)
      bots.set(found(name).machine.name, { ...bot, chats: bot.chats.filter((one) => one.chat !== chat) })
      return botOf(name)
    },
    async remove(name) {
      botOf(name)
      bots.delete(found(name).machine.name)
    },
  }
}

export const PLAYED_REQUEST = `req_${'0'.repeat(32)}` as RequestId

/** Without an engine: an order is done at once. */
export function createPlayedHosting(): Hosting {
  const hosts = new Map<string, HostedAgent>()
  const found = (name: string): HostedAgent => {
    const host = hosts.get(name) ?? [...hosts.values()].find(({ machine }) => machine.id === name)
    if (host === undefined) throw new AppError('not_found', `No hosted agent named ${name}.`)
    return host
  }
  const turns: OpenedTurn[] = []
  const turnOf = (name: string, number: number): OpenedTurn => {
    found(name)
    const turn = turns[number - 1]
    if (turn === undefined) throw new AppError('not_found', 'There is no such turn.')
    return turn
  }
  return {
    list: async () => [...hosts.values()],
    find: async (name) => found(name).machine,
    isOpen: (id) => [...hosts.values()].some(({ machine }) => machine.id === id),
    time: async (name) => ({ machine: found(name).machine, time: { awakeMs: 61_500, heldMs: 90_000 } }),
    async add({ name, provider, model }) {
      if (hosts.has(name)) throw new AppError('conflict', 'There is a hosted agent of this name.')
      const settings = { agent: 'agt_0000000000000001', provider, model }
      const machine = sampleMachine({ name })
      const host: HostedAgent = {
        machine: { ...machine, spec: { ...machine.spec, settings } },
        forecast: {
          at: machine.createdAt + 600_000,
          to: 'paused',
          because: 'it was made just now',
          memoryQueuePosition: null,
        },
        lacksKeyOf: null,
      }
      hosts.set(name, host)
      return host
    },
    async addBrowser({ name }) {
      const machine = sampleMachine({ name })
      const host: HostedAgent = {
        machine: { ...machine, spec: { ...machine.spec, settings: { kind: 'browser' } } },
        forecast: { at: null, to: null, because: 'it was made just now', memoryQueuePosition: null },
        lacksKeyOf: null,
      }
      hosts.set(name, host)
      return host
    },
    async addDesktop(of) {
      const { machine: owner } = found(of)
      const name = desktopName(owner.name)
      const machine = sampleMachine({ name })
      const settings = { kind: 'desktop', agent: owner.spec.settings?.agent ?? '' }
      const host: HostedAgent = {
        machine: { ...machine, spec: { ...machine.spec, settings } },
        forecast: { at: null, to: null, because: 'it was made just now', memoryQueuePosition: null },
        lacksKeyOf: null,
      }
      hosts.set(name, host)
      return host
    },
    async removeDesktop(of) {
      const host = found(desktopName(found(of).machine.name))
      hosts.delete(host.machine.name)
      return host
    },
    openDesktop: () => Promise.reject(new AppError('not_found', 'It has no desktop.')),
    openBrowser: () => Promise.reject(new AppError('not_found', 'You have no browser.')),
    async order(name, order) {
      const { machine, ...rest } = found(name)
      const observed = order === 'sleep' ? 'paused' : order === 'stop' ? 'asleep' : 'running'
      const host = { ...rest, machine: { ...machine, observed } } as const
      if (order === 'remove') hosts.delete(machine.name)
      else hosts.set(machine.name, host)
      return host
    },
    async reach(name, { allow, deny }) {
      const { machine, ...rest } = found(name)
      const egress = [...(machine.spec.egress ?? []), ...allow].filter((host) => !deny.includes(host))
      const host = { ...rest, machine: { ...machine, spec: { ...machine.spec, egress } } }
      hosts.set(machine.name, host)
      return host
    },
    async generations(name) {
      found(name)
      return [{ number: 2, isCurrent: true, createdAt: 2_000, files: 3, bytes: 4_096 }]
    },
    async rollBack(name, to) {
      const host = found(name)
      if (to !== 2) throw new AppError('not_found', 'There is no such generation of its files.')
      return host
    },
    async say(name, { text, model = 'claude-sonnet-5-5' }) {
      found(name)
      const end =
        text === 'fail'
          ? ({ state: 'failed', problem: 'It is gone.' } as const)
          : ({ state: 'done', problem: null } as const)
      const tool = { id: '1', name: 'exec', arguments: '{"command":"ls"}', durationMs: 1_240 } as const
      const turn: OpenedTurn = {
        ...{ number: turns.length + 1, model, asked: text, answer: `you said: ${text.replaceAll('|', '')}` },
        ...{ origin: 'person', requestId: null },
        tools: text.startsWith('use') ? [{ ...tool, state: 'done' }] : [],
        ...{ ...end, createdAt: 1, endedAt: 2 },
      }
      turns.push(turn)
      if (text === 'use')
        turns.push({
          ...{ ...turn, number: turn.number + 1, origin: 'woken', asked: '', answer: 'It has run.' },
          ...{ requestId: PLAYED_REQUEST, tools: [{ ...tool, state: 'running', durationMs: null }] },
        })
      return turn
    },
    async turns(name, before, limit) {
      found(name)
      return turns
        .filter(({ number }) => number < before)
        .toReversed()
        .slice(0, limit)
    },
    // Tools as they begin and end, and a piece for each part of what was asked; `wait` has no end.
    async *followTurn(name, number, _after, signal) {
      const data = turnOf(name, number)
      const { asked, tools } = data
      yield { event: 'turn', data }
      if (asked.includes('|') || asked === 'wait') {
        for (const tool of tools) {
          yield { id: 1, event: 'tool', data: { ...tool, state: 'running', durationMs: null } }
          yield { id: 2, event: 'tool', data: { ...tool } }
        }
        for (const [at, text] of `you said: ${asked}`.split('|').entries())
          yield { id: 3 + at, event: 'text', data: { text } }
      }
      if (asked === 'wait') await once(signal, 'abort')
      yield { event: 'end', id: 'end', data }
    },
    stopTurn: async (name, number) => turnOf(name, number),
    sayFor: () => Promise.reject(new AppError('refused', 'It is played.')),
    bots: createPlayedBots(found),
    async *complete(name, { messages, model = 'its own' }) {
      found(name)
      yield `${name} by ${model}, `
      const last = JSON.stringify(messages.at(-1))
      if (last.includes('fail')) throw new AppError('sandbox_unavailable', 'It is gone.')
      yield `asked ${last}`
      return { isCut: false, usage: { prompt_tokens: 3, completion_tokens: 4 } }
    },
    processes: async (name) => ({
      machine: found(name).machine,
      processes: [
        {
          ...{ pid: 71, parent: 4, command: 'bash init.sh' },
          ...{ state: 'waiting', seconds: 60, memoryBytes: 3_145_728 },
        },
      ],
    }),
    async printed(name, process) {
      const { machine } = found(name)
      if (process !== undefined && process !== '71')
        throw new AppError('not_found', 'No such process runs in it.')
      return { machine, process: null, text: 'listening\n', isCut: false }
    },
    async listFiles(name) {
      found(name)
      const entry = { name: 'today', path: 'notes/today', kind: 'file', bytes: 4, modifiedAt: 1 } as const
      return { entries: [entry], isCut: false }
    },
    async takeFile(name) {
      found(name)
      const until = new AbortController().signal
      return { name: 'today', content: Buffer.from('note'), until, [Symbol.dispose]() {} }
    },
    async putFile(name, path, { bytes, source }) {
      found(name)
      const content = Buffer.concat(await Array.fromAsync(source))
      return { path, bytes, sha256: sha256Hex(content) }
    },
    versions: async (name) => ({ machine: found(name).machine, openclaw: '2026.9.6', node: '24.21.0' }),
    openGateway: () => Promise.reject(new AppError('sandbox_unavailable', 'It is played.')),
    tell: async () => 200,
    start: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
