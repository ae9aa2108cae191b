import type { BareStart } from './llm-bare.ts'
import { EVENTS, type StreamsJob, type StreamsResult } from './llm-peers.ts'
import { KEY, MODEL } from './llm-targets.ts'
import { cpuMs, type RunningNginx } from './nginx.ts'
import { type Peer, startPeer } from './peers.ts'
import { type BenchDaemon, percentile, printRatio } from './support.ts'

/** Many streams at once: as fast as they are taken, and at a pace at which models write. */
const STREAMS = 100
const PACE_MS = 20
/** Of what nginx takes in the same run: the first byte at a pace, and processor time for an event. */
const GOALS = { firstByte: 1.5, cpu: 1.5 }

const BODY = JSON.stringify({
  model: MODEL,
  messages: [{ role: 'user', content: 'a story of many words' }],
  stream: true,
  stream_options: { include_usage: true },
})

interface StreamsTarget {
  readonly name: string
  readonly url: string
  readonly token: string
  pids(): readonly number[]
}

interface Sample extends StreamsResult {
  readonly cpuMs: number
}

export async function benchStreams(setting: {
  readonly rounds: number
  readonly nginx: RunningNginx & { readonly streamsPort: number }
  readonly daemon: BenchDaemon
  readonly upstreamPort: number
}): Promise<void> {
  const { nginx, daemon, upstreamPort } = setting
  const copier = startPeer(new URL('llm-copy.ts', import.meta.url), 'copy')
  const copyStart: BareStart = { port: upstreamPort, authorization: `Bearer ${KEY}` }
  const copyPort = await copier.ask<number>(copyStart)
  const path = '/v1/chat/completions'
  const targets: readonly StreamsTarget[] = [
    { name: 'direct', url: `http://127.0.0.1:${upstreamPort}${path}`, token: KEY, pids: () => [] },
    {
      name: 'nginx',
      url: `http://127.0.0.1:${nginx.streamsPort}${path}`,
      token: daemon.token,
      pids: nginx.pids,
    },
    {
      name: 'oauth3',
      url: `${daemon.url}/llm/bench-streams${path}`,
      token: daemon.token,
      pids: () => [daemon.pid],
    },
    {
      name: 'copy',
      url: `http://127.0.0.1:${copyPort}${path}`,
      token: daemon.token,
      pids: () => [copier.pid],
    },
  ]
  const client = startPeer(new URL('llm-peers.ts', import.meta.url), 'client')
  try {
    for (const paceMs of [0, PACE_MS]) {
      const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]))
      for (let round = -1; round < setting.rounds; round++) {
        const first = (round + 1) % targets.length
        for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
          const sample = await measure(client, target, paceMs)
          if (round >= 0) samples.get(target.name)?.push(sample)
        }
      }
      print(paceMs, samples)
    }
  } finally {
    await client.stop()
    await copier.stop()
  }
}

async function measure(client: Peer, target: StreamsTarget, paceMs: number): Promise<Sample> {
  const before = cpuMs(target.pids())
  const result = await askStreams(client, target, paceMs)
  return { ...result, cpuMs: cpuMs(target.pids()) - before }
}

export function askStreams(
  client: Peer,
  { url, token }: Pick<StreamsTarget, 'url' | 'token'>,
  paceMs: number,
): Promise<StreamsResult> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return client.ask<StreamsResult>({
    url: `${url}?pace=${paceMs}`,
    headers: { ...headers, 'content-length': String(BODY.length) },
    body: BODY,
    streams: STREAMS,
  } satisfies StreamsJob)
}

function print(paceMs: number, samples: ReadonlyMap<string, readonly Sample[]>): void {
  const pace = paceMs === 0 ? 'as fast as they are taken' : `an event each ${paceMs} ms`
  const count = samples.get('oauth3')?.length ?? 0
  console.log(`\n${STREAMS} streams at once of ${EVENTS} events, ${pace} (medians of ${count} rounds each)`)
  console.log(
    `${''.padEnd(10)}${'events/s'.padStart(12)}${'first byte p50 ms'.padStart(20)}${'p99 ms'.padStart(10)}${'own CPU µs/event'.padStart(20)}`,
  )
  for (const [name, list] of samples) {
    console.log(
      [
        name.padEnd(10),
        middle(list, (sample) => sample.events / (sample.ms / 1_000))
          .toFixed(0)
          .padStart(12),
        middle(list, firstByteMs).toFixed(1).padStart(20),
        middle(list, (sample) => percentile(sample.firstByteMs, 0.99))
          .toFixed(1)
          .padStart(10),
        (name === 'direct' ? '' : middle(list, cpuUs).toFixed(1)).padStart(20),
      ].join(''),
    )
  }
  const ofNginx = (figure: (sample: Sample) => number, name = 'oauth3'): number =>
    middle(samples.get(name) ?? [], figure) / middle(samples.get('nginx') ?? [], figure)
  if (paceMs > 0) printRatio("of nginx's first byte p50", ofNginx(firstByteMs), GOALS.firstByte)
  printRatio("of nginx's CPU per event", ofNginx(cpuUs), GOALS.cpu)
  console.log(`the same of a Node process that only copies: ${ofNginx(cpuUs, 'copy').toFixed(2)}`)
}

const middle = (list: readonly Sample[], figure: (sample: Sample) => number): number =>
  percentile(list.map(figure), 0.5)
const firstByteMs = (sample: Sample): number => percentile(sample.firstByteMs, 0.5)
const cpuUs = (sample: Sample): number => (sample.cpuMs * 1_000) / sample.events
