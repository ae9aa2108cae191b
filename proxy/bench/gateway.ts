import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
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
import { pause, percentile, startBenchDaemon, timed } from './support.ts'

/**
 * The gateway beside nginx, which does the same work: TLS to the client, one header set to the secret, TLS to the upstream,
 * verified and kept alive. Both are reached through a unix socket by the same client, and rounds are interleaved. The
 * gateway runs in a process of its own that builds it as the daemon does, scrubbing and audit included. Then a whole
 * daemon: what one upstream call adds to a warm, trusted POST /execute.
 */
const VALUE = 'demo-value-for-the-gateway-bench'
const MEGABYTE = 1_000_000
const PEERS = new URL('gateway-peers.ts', import.meta.url)

export interface GatewayRounds {
  readonly small: number
  readonly large: number
  readonly largeBytes: number
  readonly posts: number
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
    await wholeDaemon({ folder, ca, port, rounds: rounds.posts })
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

const CODE = {
  plain: `console.log('token of', Deno.env.get('BENCH_KEY')?.length, 'characters')\n`,
  silent: `const key = Deno.env.get('BENCH_KEY')\nconsole.log(200, key.length > 0)\n`,
  calling: (port: number): string =>
    `const key = Deno.env.get('BENCH_KEY')\nconst answer = await fetch('https://127.0.0.1:${port}/small', { headers: { authorization: 'Bearer ' + key } })\nawait answer.text()\nconsole.log(answer.status, key.length > 0)\n`,
}

/** A real daemon; its upstream is an address that was approved as such, its certificate vouched for by an extra root. */
async function wholeDaemon(setting: {
  readonly folder: string
  readonly ca: TestCa
  readonly port: number
  readonly rounds: number
}): Promise<void> {
  const { folder, ca, port, rounds } = setting
  const roots = join(folder, 'ca.pem')
  writeFileSync(roots, ca.certificate)
  await using daemon = await startBenchDaemon({
    OAUTH3_SANDBOX: 'docker',
    OAUTH3_POOL_SIZE: '2',
    NODE_EXTRA_CA_CERTS: roots,
  })
  await daemon.cli(['secret', 'add', 'BENCH_KEY'], VALUE)
  const agent = new Agent({ keepAlive: true })
  const headers = { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' }
  const post = async (body: object): Promise<{ status: string; request_id: string; stdout?: string }> => {
    const call = request(`${daemon.url}/execute`, { agent, method: 'POST', headers })
    call.end(JSON.stringify(body))
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    return JSON.parse(await text(response))
  }
  const trusted = async (name: string, code: string, network: readonly string[], stdout: RegExp) => {
    const body = { skill_id: `bench/${name}`, code, secrets: ['BENCH_KEY'], metadata: { network } }
    const asked = await post(body)
    await daemon.cli(['approve', asked.request_id, '--forever', '--yes'])
    return async (): Promise<void> => {
      const result = await post(body)
      if (result.status !== 'success' || !stdout.test(result.stdout ?? '')) {
        throw new Error(`a trusted run ended as ${JSON.stringify(result)}`)
      }
    }
  }
  const network = [`127.0.0.1:${port}`]
  const runs = {
    plain: await trusted('plain', CODE.plain, [], /^token of [0-9]+ characters\n$/),
    silent: await trusted('silent', CODE.silent, network, /^200 true\n$/),
    calling: await trusted('calling', CODE.calling(port), network, /^200 true\n$/),
  }
  const took = { plain: [] as number[], silent: [] as number[], calling: [] as number[] }
  const names = ['plain', 'silent', 'calling'] as const
  for (let round = -2; round < rounds; round++) {
    for (const name of names) {
      // The pool fills up again meanwhile, so that every run meets a warm sandbox.
      await pause(1_200)
      const ms = await timed(runs[name])
      if (round >= 0) took[name].push(ms)
    }
  }
  const p50 = (name: (typeof names)[number]): number => percentile(took[name], 0.5)
  const line = (label: string, name: (typeof names)[number]): void =>
    console.log(
      `${label.padEnd(46)}${p50(name).toFixed(1).padStart(8)} ms p50${percentile(took[name], 0.95).toFixed(1).padStart(9)} ms p95`,
    )
  console.log(`\nwarm, trusted POST /execute, paced (n = ${rounds} each)`)
  line('plain, no network approved', 'plain')
  line('a host approved, but no call', 'silent')
  line('the same with one upstream call', 'calling')
  console.log(
    `the call costs ${(p50('calling') - p50('silent')).toFixed(1)} ms, ratio ${(p50('calling') / p50('silent')).toFixed(2)}×; against plain ${(p50('calling') / p50('plain')).toFixed(2)}×; approved network alone ${(p50('silent') / p50('plain')).toFixed(2)}× (goal: at most 1.3×)`,
  )
}
