import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerAsPeer } from './peers.ts'

/** The two processes around the proxies when streams are measured: an upstream that streams, and a client of many. */
export const EVENTS = 200

export interface StreamsUpstreamStart {
  readonly authorization: string
}

export interface StreamsJob {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly streams: number
}

export interface StreamsResult {
  /** From the first request to the end of the last stream. */
  readonly ms: number
  readonly events: number
  /** Of each stream, from its request to the first byte of its body. */
  readonly firstByteMs: readonly number[]
}

const EVENT = `data: ${JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  model: 'bench-model',
  choices: [{ index: 0, delta: { content: ' a few words of it' }, finish_reason: null }],
})}\n\n`

const LAST = `data: ${JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  model: 'bench-model',
  choices: [],
  usage: { prompt_tokens: 120, completion_tokens: EVENTS, total_tokens: 120 + EVENTS },
})}\n\ndata: [DONE]\n\n`

/** What every stream ends with, behind its events: usage and the end mark. */
const LAST_EVENTS = 2

/** Each event is written for itself; `?pace=N` is the milliseconds between two, 0 for as fast as they are taken. */
async function playStreamsUpstream({ authorization }: StreamsUpstreamStart): Promise<number> {
  const server = createServer({ keepAliveTimeout: 600_000 }, (incoming, response) => {
    incoming.resume()
    if (incoming.headers.authorization !== authorization) {
      response.writeHead(401).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    const paceMs = Number(new URL(incoming.url ?? '', 'http://localhost').searchParams.get('pace') ?? 0)
    sendEvents(response, paceMs)
  })
  server.listen(0, '127.0.0.1', 1_024)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function sendEvents(response: ServerResponse, paceMs: number): void {
  let left = EVENTS
  const next = (): void => {
    if (response.destroyed) return
    if (left === 0) {
      response.end(LAST)
      return
    }
    left -= 1
    if (!response.write(EVENT)) response.once('drain', next)
    else if (paceMs > 0) setTimeout(next, paceMs)
    else setImmediate(next)
  }
  next()
}

const agent = new Agent({ keepAlive: true, maxSockets: 1_000 })

async function playStreamsClient(job: StreamsJob): Promise<StreamsResult> {
  const firstByteMs: number[] = []
  const began = performance.now()
  const counts = await Promise.all(
    Array.from({ length: job.streams }, () => readStream(job, (ms) => firstByteMs.push(ms))),
  )
  const ms = performance.now() - began
  return { ms, events: counts.reduce((sum, count) => sum + count, 0), firstByteMs }
}

async function readStream(job: StreamsJob, firstByte: (ms: number) => void): Promise<number> {
  const began = performance.now()
  const call = request(job.url, { agent, method: 'POST', headers: job.headers })
  call.end(job.body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  let newlines = 0
  let first = true
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (first) firstByte(performance.now() - began)
    first = false
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) newlines += 1
  }
  if (response.statusCode !== 200) throw new Error(`a stream was answered with ${response.statusCode}`)
  // Two line ends close an event, and no event has one inside.
  const events = newlines / 2 - LAST_EVENTS
  if (events !== EVENTS) throw new Error(`${events} events of ${EVENTS} arrived`)
  return events
}

if (import.meta.main) {
  answerAsPeer(async (role, message) =>
    role === 'upstream'
      ? await playStreamsUpstream(message as StreamsUpstreamStart)
      : await playStreamsClient(message as StreamsJob),
  )
}
