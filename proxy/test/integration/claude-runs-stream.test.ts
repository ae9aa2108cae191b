import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunHooks } from '../../src/claude-runs/index.ts'
import { createEventLog } from '../../src/kernel/index.ts'
import { type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'
import { patience } from '../support/pace.ts'

interface Event {
  readonly id: string | undefined
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Whole events alone, as an EventSource takes them (a piece without its empty line counts for nothing). */
function eventsOf(text: string): Event[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => block.split('\n').filter((line) => !line.startsWith(':') && !line.startsWith('retry')))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      return { id: field('id'), event: field('event') ?? '', data: JSON.parse(field('data') ?? '{}') }
    })
}

let kit: ClaudeRunsKit
let hooks: RunHooks | undefined
let end: PromiseWithResolvers<object>
beforeEach(async () => {
  hooks = undefined
  end = Promise.withResolvers()
  kit = await startClaudeRuns({ reconnectMs: 60_000 })
  kit.runner.play = (_order, given) => {
    hooks = given
    return end.promise
  }
})
afterEach(() => kit[Symbol.asyncDispose]())

const started = async (): Promise<RunHooks> => {
  await expect.poll(() => hooks !== undefined).toBe(true)
  return hooks as RunHooks
}

/** The body's bytes up to a number of them; then the connection is cut. */
function readBytes(
  path: string,
  token: string,
  lastEventId: string | undefined,
  most: number,
): Promise<string> {
  const { port } = new URL(kit.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    let text = Buffer.alloc(0)
    const cut = (): void => {
      socket.destroy()
      resolve(bodyOf(text).subarray(0, most).toString())
    }
    socket.on('data', (piece) => {
      text = Buffer.concat([text, piece])
      if (bodyOf(text).length >= most) cut()
    })
    socket.on('close', cut)
    socket.on('error', reject)
    const last = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
    // HTTP/1.0: no chunks in between.
    socket.write(`GET ${path} HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n${last}\r\n`)
  })
}

function bodyOf(text: Buffer): Buffer {
  const at = text.indexOf('\r\n\r\n')
  return at === -1 ? Buffer.alloc(0) : text.subarray(at + 4)
}

const textOf = (events: readonly Event[]): string =>
  events
    .filter(({ event }) => event === 'text')
    .map(({ data }) => data.text)
    .join('')

describe('a stream', () => {
  it('tells the run, what it says, and its end, once', async () => {
    const { token } = await kit.addApp()
    const answer = await kit.postRun(token, { prompt: 'hi', stream: true })
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    const { onEvent } = await started()
    onEvent({ type: 'text', text: 'hel' })
    onEvent({ type: 'tool_use', id: 't', name: 'Read', input: { filePath: 'x' } })
    onEvent({ type: 'text', text: 'lo' })
    end.resolve({})
    const events = eventsOf(await answer.text())
    expect(events.map(({ event }) => event)).toEqual(['run', 'started', 'text', 'tool_use', 'text', 'end'])
    expect(events.map(({ id }) => id)).toEqual([undefined, '1', '2', '3', '4', 'end'])
    expect(events[3]?.data).toEqual({ id: 't', name: 'Read', input: { filePath: 'x' } })
    expect(events.at(-1)?.data).toMatchObject({ ok: true, result: 'hello', cost_usd: 0.0015 })
    expect(events[0]?.data.run_id).toBe(events.at(-1)?.data.run_id)
    expect(answer.headers.get('location')).toBe(`/run/${events[0]?.data.run_id}`)
  })

  it('cut at any byte and taken up again gives the whole, no part twice', {
    timeout: patience(120_000),
  }, async () => {
    const { token } = await kit.addApp()
    const posted = kit.postRun(token, { prompt: 'hi', detach: true })
    const { onEvent } = await started()
    for (const text of ['one ', 'zwei: ü ', '\n\n', 'data: x\n', '🦞']) onEvent({ type: 'text', text })
    end.resolve({ text: 'whole', result: 'whole' })
    const { run_id: id } = (await (await posted).json()) as { run_id: string }
    const path = `/run/${id}/events`
    await expect
      .poll(async () => ((await (await kit.call(`/run/${id}`, token)).json()) as { ok: boolean }).ok)
      .toBe(true)
    const whole = await readBytes(path, token, undefined, Number.POSITIVE_INFINITY)
    const all = eventsOf(whole)
    expect(textOf(all)).toBe('one zwei: ü \n\ndata: x\n🦞')
    const bytes = Buffer.byteLength(whole)
    for (let cut = 0; cut < bytes; cut += 1) {
      const first = eventsOf(await readBytes(path, token, undefined, cut))
      const last = first.findLast((event) => event.id !== undefined)?.id
      const rest =
        last === 'end' ? [] : eventsOf(await readBytes(path, token, last, Number.POSITIVE_INFINITY))
      const parts = [...first, ...rest].filter((event) => event.id !== undefined)
      expect(parts, `cut at ${cut}`).toEqual(all.filter((event) => event.id !== undefined))
    }
    expect((await kit.call(path, token, { headers: { 'last-event-id': 'end' } })).status).toBe(204)
  })

  it('that broke keeps its run for a while, and whoever comes back goes on', async () => {
    const { token } = await kit.addApp()
    const leaving = new AbortController()
    const answer = await kit.postRun(token, { prompt: 'hi', stream: true }, {}, leaving.signal)
    const { onEvent } = await started()
    onEvent({ type: 'text', text: 'a' })
    const reader = answer.body?.getReader()
    let text = ''
    while (!text.includes('event: text')) text += Buffer.from((await reader?.read())?.value ?? []).toString()
    leaving.abort()
    const [first] = eventsOf(text)
    const id = first?.data.run_id
    onEvent({ type: 'text', text: 'b' })
    end.resolve({})
    const back = await kit.call(`/run/${id}/events`, token, { headers: { 'last-event-id': '2' } })
    expect(eventsOf(await back.text()).map(({ event }) => event)).toEqual(['run', 'text', 'end'])
  })

  it('whose client does not come back ends its run', async () => {
    await using strict = await startClaudeRuns({ reconnectMs: 1 })
    strict.runner.play = () => new Promise(() => {})
    const { token } = await strict.addApp()
    const leaving = new AbortController()
    await strict.postRun(token, { prompt: 'hi', stream: true }, {}, leaving.signal)
    await expect.poll(() => strict.runner.orders.length).toBe(1)
    leaving.abort()
    const state = async () => (await strict.storage.read((tx) => tx.claudeRuns.list({ limit: 1 })))[0]?.state
    await expect.poll(state).toBe('cancelled')
  })

  it('of a detached run is left without an end to the run', async () => {
    await using strict = await startClaudeRuns({ reconnectMs: 0 })
    const done = Promise.withResolvers<object>()
    strict.runner.play = () => done.promise
    const { token } = await strict.addApp()
    const answer = await strict.postRun(token, { prompt: 'hi', detach: true })
    const { run_id: id } = (await answer.json()) as { run_id: string }
    const leaving = new AbortController()
    await strict.call(`/run/${id}/events`, token, { signal: leaving.signal })
    leaving.abort()
    // Answers are counted when their connection is over.
    await expect.poll(async () => (await strict.metrics.page()).text).toContain('route="/run/:id/events"')
    done.resolve({})
    const state = async () => (await strict.storage.read((tx) => tx.claudeRuns.list({ limit: 1 })))[0]?.state
    await expect.poll(state).toBe('done')
  })

  it('after a restart says that its events are lost, and tells the end', async () => {
    const { token } = await kit.addApp()
    const posted = kit.postRun(token, { prompt: 'hi', detach: true })
    ;(await started()).onEvent({ type: 'text', text: 'a' })
    end.resolve({})
    const { run_id: id } = (await (await posted).json()) as { run_id: string }
    await expect.poll(() => kit.runs.counts).toEqual({ running: 0, waiting: 0 })
    await using later = await startClaudeRuns({ dir: kit.dir })
    const events = eventsOf(
      await (await later.call(`/run/${id}/events`, token, { headers: { 'last-event-id': '1' } })).text(),
    )
    expect(events.map(({ event }) => event)).toEqual(['run', 'lost', 'end'])
  })
})

describe('the log of a run', () => {
  it('tells who is behind what it keeps that something is lost, and the rest', async () => {
    const log = createEventLog(1_000)
    for (let count = 1; count <= 20; count += 1) log.append('text', { text: `${count}`.padEnd(100) })
    log.close()
    const seen: unknown[] = []
    for await (const next of log.follow(0, new AbortController().signal))
      seen.push('lostUpTo' in next ? next : next.id)
    const { lostUpTo } = seen[0] as { lostUpTo: number }
    expect(lostUpTo).toBeGreaterThan(10)
    expect(seen.slice(1)).toEqual(Array.from({ length: 20 - lostUpTo }, (_, at) => lostUpTo + 1 + at))
    expect(log.bytes).toBeLessThanOrEqual(1_000)
  })

  it('is followed by several, each at its own pace, and left at once', async () => {
    const log = createEventLog(1_000_000)
    const leaving = new AbortController()
    const follow = async (signal: AbortSignal): Promise<number[]> => {
      const ids: number[] = []
      for await (const next of log.follow(0, signal)) {
        if ('lostUpTo' in next) throw new Error('lost')
        ids.push(next.id)
        await new Promise((resolve) => setImmediate(resolve))
      }
      return ids
    }
    const all = [follow(new AbortController().signal), follow(new AbortController().signal)]
    const left = follow(leaving.signal)
    for (let count = 0; count < 50; count += 1) log.append('text', {})
    leaving.abort()
    expect((await left).length).toBeLessThan(50)
    log.close()
    for (const ids of await Promise.all(all))
      expect(ids).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
  })
})
