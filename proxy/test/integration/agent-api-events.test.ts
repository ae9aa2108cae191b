import { request as httpRequest } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ApiKit, startApi, until } from '../support/api-kit.ts'

let api: ApiKit
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const BODY = { skill_id: 'demo', code: 'console.log(1)' }

interface Event {
  readonly event: string
  readonly id: string
  readonly data: { status: string; request_id: string; stdout?: string }
}

const parseEvents = (text: string): Event[] =>
  text
    .split('\n\n')
    // What follows the last empty line has not come whole.
    .slice(0, -1)
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
      )
      return { event: fields.event ?? '', id: fields.id ?? '', data: JSON.parse(fields.data ?? 'null') }
    })

/** Follows a stream as it comes; resolves once the daemon has begun to answer. */
async function follow(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}${path}`, {
    headers: { authorization: `Bearer ${api.token}`, ...headers },
  })
  const reader = (response.body ?? new ReadableStream<Uint8Array>())
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let text = ''
  const more = async (): Promise<boolean> => {
    const { done, value } = await reader.read()
    text += value ?? ''
    return !done
  }
  return {
    contentType: response.headers.get('content-type'),
    async seen(event: string): Promise<void> {
      while (!parseEvents(text).some((known) => known.event === event))
        if (!(await more())) throw new Error(`the stream ended without ${event}`)
    },
    async all(): Promise<Event[]> {
      while (await more());
      return parseEvents(text)
    },
  }
}

test('tells every transition to the final one with its result, then ends', async () => {
  const release = Promise.withResolvers<void>()
  api.play = async (_order, print) => {
    await release.promise
    print('stdout', 'two\nlines\n\nand more')
    return {}
  }
  const { json } = await api.execute(BODY)
  const stream = await follow(`/execute/${json.request_id}/events`)
  expect(stream.contentType).toBe('text/event-stream; charset=utf-8')
  await stream.seen('pending')
  await api.decide(json.request_id)
  await stream.seen('running')
  release.resolve()
  const events = await stream.all()
  expect(events.map((event) => event.event)).toEqual(['pending', 'approved', 'running', 'success'])
  expect(events.at(-1)?.data).toMatchObject({ status: 'success', stdout: 'two\nlines\n\nand more' })
  await until(async () => (await api.executions.resolve(json.request_id)).seenAt !== null)
})

test('a client that comes again with the last state is told only what is new, and 204 after the end', async () => {
  const { json } = await api.execute(BODY)
  const path = `/execute/${json.request_id}/events`
  const stream = await follow(path, { 'last-event-id': 'pending' })
  await api.decide(json.request_id, 'deny')
  expect((await stream.all()).map((event) => event.event)).toEqual(['denied'])
  expect((await api.call('GET', path, { headers: { 'last-event-id': 'denied' } })).status).toBe(204)
})

test('a client that leaves without reading frees its stream', async () => {
  const { json } = await api.execute(BODY)
  for (let round = 0; round < 3; round++) {
    const calls = Array.from({ length: 64 }, () => {
      const call = httpRequest(`${api.url}/execute/${json.request_id}/events`, {
        headers: { authorization: `Bearer ${api.token}` },
      })
      call.on('error', () => {})
      call.end()
      return new Promise<() => void>((resolve) =>
        call.on('response', (response) => resolve(() => response.destroy())),
      )
    })
    const leave = await Promise.all(calls)
    expect((await api.call('GET', `/execute/${json.request_id}/events`)).status).toBe(429)
    for (const go of leave) go()
    await until(
      async () => (await api.call('GET', `/execute/${json.request_id}?wait=1`)).status === 200,
      5_000,
    )
  }
})
