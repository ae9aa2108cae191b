import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestCa, type TestCa } from '../test/support/test-ca.ts'
import { HOST, type UpstreamStart } from './gateway-peers.ts'
import { startPeer } from './peers.ts'
import { pause, percentile, printRatio, startBenchDaemon, timed } from './support.ts'
import { trustedRun } from './trusted-run.ts'

/** What one call through the gateway adds to a warm, trusted POST /execute of a whole daemon. */
const VALUE = 'demo-value-for-the-gateway-bench'
/** Of the time of a run that makes none. */
const WITH_CALL = 1.3

export async function benchCall(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-call-'))
  const ca = createTestCa()
  const upstream = startPeer(new URL('gateway-peers.ts', import.meta.url), 'upstream')
  try {
    const port = await upstream.ask<number>({
      ...ca.issue([HOST, '127.0.0.1']),
      authorization: `Bearer ${VALUE}`,
    } satisfies UpstreamStart)
    await measureCall({ folder, ca, port, rounds })
  } finally {
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const CODE = {
  plain: `console.log('token of', Deno.env.get('BENCH_KEY')?.length, 'characters')\n`,
  silent: `const key = Deno.env.get('BENCH_KEY')\nconsole.log(200, key.length > 0)\n`,
  calling: (port: number): string =>
    `const key = Deno.env.get('BENCH_KEY')\nconst answer = await fetch('https://127.0.0.1:${port}/small', { headers: { authorization: 'Bearer ' + key } })\nawait answer.text()\nconsole.log(answer.status, key.length > 0)\n`,
}

/** The upstream is an address that was approved as such, its certificate vouched for by an extra root. */
async function measureCall(setting: {
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
  const trusted = (name: string, code: string, network: readonly string[], stdout: RegExp) =>
    trustedRun(
      daemon,
      { skill_id: `bench/${name}`, code, secrets: ['BENCH_KEY'], metadata: { network } },
      (told) => stdout.test(told),
    )
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
  console.log(`the call costs ${(p50('calling') - p50('silent')).toFixed(1)} ms`)
  printRatio('with one gateway call ÷ without', p50('calling') / p50('silent'), WITH_CALL)
}
