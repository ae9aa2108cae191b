import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestCa, type TestCa } from '../test/support/test-ca.ts'
import {
  type ClientJob,
  type ClientResult,
  type GatewayStart,
  HOST,
  type OpenedEndpoint,
  type UpstreamStart,
} from './gateway-peers.ts'
import { cpuMs, hasNginx, NGINX_MISSING, startTlsNginx } from './nginx.ts'
import { type Peer, startPeer } from './peers.ts'
import { percentile } from './support.ts'

/**
 * The gateway beside nginx, which does the same work: TLS to the client, one header set to the secret, TLS to the upstream,
 * verified and kept alive. Both are reached through a unix socket by the same client, and rounds are interleaved. The
 * gateway runs in a process of its own that builds it as the daemon does, scrubbing and audit included. What one call adds to a
 * whole run stands in the bench of runs.
 */
const VALUE = 'demo-value-for-the-gateway-bench'
const MEGABYTE = 1_000_000
const PEERS = new URL('gateway-peers.ts', import.meta.url)

export interface GatewayRounds {
  readonly small: number
  readonly large: number
  readonly largeBytes: number
}

export async function benchGateway(rounds: GatewayRounds): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-gateway-'))
  chmodSync(folder, 0o755)
  const ca = createTestCa()
  const upstream = startPeer(PEERS, 'upstream')
  try {
    const port = await upstream.ask<number>({
      ...ca.issue([HOST, '127.0.0.1']),
      authorization: `Bearer ${VALUE}`,
    } satisfies UpstreamStart)
    await besideNginx({ folder, ca, port, rounds })
  } finally {
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Setting {
  readonly folder: string
  readonly ca: TestCa
  readonly port: number
  readonly rounds: GatewayRounds
}

async function besideNginx({ folder, ca, port, rounds }: Setting): Promise<void> {
  if (!hasNginx()) {
    console.error(`\n${NGINX_MISSING}`)
    process.exitCode = 1
    return
  }
  const gateway = startPeer(PEERS, 'gateway')
  const client = startPeer(PEERS, 'client')
  const nginx = await startTlsNginx({ folder, ca, port, host: HOST, authorization: `Bearer ${VALUE}` })
  try {
    await gateway.ask({
      ca: ca.certificate,
      port,
      folder: join(folder, 'daemon'),
      value: VALUE,
    } satisfies GatewayStart)
    const authority = `${HOST}:${port}`
    const ours = async (job: Job): Promise<Sample> => {
      // A run may make 10,000 requests; every round is a run of its own.
      const endpoint = await gateway.ask<OpenedEndpoint>('open')
      return await measure(client, [gateway.pid], {
        ...job,
        socketPath: endpoint.socketPath,
        ca: endpoint.ca,
        authorization: `Bearer ${endpoint.placeholder}`,
        authority,
        tunnel: true,
      })
    }
    const theirs = (job: Job): Promise<Sample> =>
      measure(client, nginx.pids(), {
        ...job,
        socketPath: nginx.socketPath,
        ca: ca.certificate,
        authorization: 'Bearer replaced-by-nginx',
        authority,
        tunnel: false,
      })
    for (const concurrency of [1, 8]) {
      const job = { path: '/small', requests: 1_000, concurrency }
      const samples = await interleaved(
        rounds.small,
        () => ours(job),
        () => theirs(job),
      )
      report(`1,000 small requests, concurrency ${concurrency}`, samples, 'requests/s', 0.3, (sample) => [
        1_000 / (sample.ms / 1_000),
        `p50 ${percentile(sample.latenciesMs, 0.5).toFixed(2)} ms, proxy's own CPU ${(sample.cpuMs / 1_000).toFixed(3)} ms a request`,
      ])
    }
    const job = { path: `/large/${rounds.largeBytes}`, requests: 1, concurrency: 1 }
    const samples = await interleaved(
      rounds.large,
      () => ours(job),
      () => theirs(job),
    )
    report(`one download of ${rounds.largeBytes / MEGABYTE} MB`, samples, 'MB/s', 0.5, (sample) => {
      if (sample.bytes !== rounds.largeBytes) throw new Error(`${sample.bytes} bytes arrived`)
      return [sample.bytes / MEGABYTE / (sample.ms / 1_000), `proxy's own CPU ${sample.cpuMs.toFixed(0)} ms`]
    })
  } finally {
    await client.stop()
    await gateway.stop()
    await nginx.stop()
  }
}

type Job = Pick<ClientJob, 'path' | 'requests' | 'concurrency'>

interface Sample extends ClientResult {
  /** Processor time of the proxy's processes meanwhile. */
  readonly cpuMs: number
}

async function measure(client: Peer, pids: readonly number[], job: ClientJob): Promise<Sample> {
  const before = cpuMs(pids)
  const result = await client.ask<ClientResult>(job)
  return { ...result, cpuMs: cpuMs(pids) - before }
}

interface Samples {
  readonly ours: readonly Sample[]
  readonly theirs: readonly Sample[]
}

/** One round of each before the first that counts; who begins changes from round to round. */
async function interleaved(
  rounds: number,
  ours: () => Promise<Sample>,
  theirs: () => Promise<Sample>,
): Promise<Samples> {
  await theirs()
  await ours()
  const samples = { ours: [] as Sample[], theirs: [] as Sample[] }
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) samples.theirs.push(await theirs())
    samples.ours.push(await ours())
    if (round % 2 === 1) samples.theirs.push(await theirs())
  }
  return samples
}

function report(
  name: string,
  samples: Samples,
  unit: string,
  goal: number,
  figure: (sample: Sample) => readonly [number, string],
): void {
  const middle = (list: readonly Sample[]): readonly [number, string] =>
    [...list].map(figure).sort(([a], [b]) => a - b)[Math.floor(list.length / 2)] ?? [Number.NaN, '']
  const [ours, oursNote] = middle(samples.ours)
  const [theirs, theirsNote] = middle(samples.theirs)
  console.log(`\n${name} (median of ${samples.ours.length} rounds each)`)
  console.log(`${'nginx'.padEnd(12)}${theirs.toFixed(0).padStart(9)} ${unit}   ${theirsNote}`)
  console.log(`${'oauth3'.padEnd(12)}${ours.toFixed(0).padStart(9)} ${unit}   ${oursNote}`)
  console.log(`${'ratio'.padEnd(12)}${(ours / theirs).toFixed(2).padStart(9)}     (goal: at least ${goal})`)
}
