import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillHistory } from './history-fill.ts'
import {
  type BenchDaemon,
  pause,
  percentile,
  printGoal,
  repositoryRoot,
  startBenchDaemon,
  timed,
} from './support.ts'

const PAUSE_GOAL_MS = 20
const BYTES_GOAL = 0.6
const PAGES = 200

interface Pause {
  /** The longest, and what the loop's thread itself worked in it. */
  readonly wallMs: number
  readonly cpuMs: number
  /** Most work in one turn. */
  readonly mostCpuMs: number
  readonly rssMib: number
}

interface Measured {
  readonly bytesEach: number
  readonly startMs: number
  readonly pages: readonly number[]
  readonly idle: Pause
  /** Milliseconds until its end, and the longest pause of the daemon meanwhile. */
  readonly work: ReadonlyMap<string, { readonly ms: number; readonly pause: Pause }>
}

/**
 * A long history: what it takes on disk, beside the same rows in the layout of builds of before, and what it holds up while all of it
 * is checked and exported. Another checkout (`--baseline FOLDER`) is measured beside it, with the same history in a database of its own.
 */
export async function benchHistory(options: {
  readonly executions: number
  readonly baseline: string | null
}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-history-'))
  try {
    const baseline = options.baseline === null ? null : await measure(folder, 'baseline', options.baseline)
    const ours = await measure(folder, 'oauth3', repositoryRoot)
    const { bytesEach } = await filled(join(folder, 'before'), 'whole', (own) =>
      startBenchDaemon({ OAUTH3_SANDBOX: 'embedded' }, own),
    )
    print(ours, baseline, options.executions)
    const share = ours.bytesEach / bytesEach
    printGoal(
      `bytes an execution ÷ ${bytesEach.toFixed(0)} in the layout of before ${share.toFixed(2)}`,
      `≤ ${BYTES_GOAL}`,
      share <= BYTES_GOAL,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }

  /** The database of a daemon that has ended, with the rows of many runs in it. */
  async function filled(
    own: string,
    layout: 'shared' | 'whole',
    start: (own: string) => Promise<BenchDaemon>,
  ): Promise<Pick<Measured, 'bytesEach'> & Pick<BenchDaemon, 'token'>> {
    const made = await start(own)
    await made.stop()
    const path = join(own, 'proxy.db')
    const before = statSync(path).size
    await fillHistory(own, options.executions, layout)
    return { token: made.token, bytesEach: (statSync(path).size - before) / options.executions }
  }

  async function measure(within: string, name: string, root: string): Promise<Measured> {
    const own = join(within, name)
    const probe = join(own, 'probe')
    const start = (folder: string) =>
      startBenchDaemon(
        { OAUTH3_SANDBOX: 'embedded', BENCH_LOOP_PROBE: probe, OAUTH3_RETAIN_EXECUTIONS_DAYS: '0' },
        folder,
        ['--import', join(repositoryRoot, 'proxy/bench/loop-probe.ts')],
        root,
      )
    const { token, bytesEach } = await filled(own, 'shared', start)
    await using daemon = await start(own)
    const pages = await pagesOf(daemon, token)
    const idle = await idleOf(probe)
    const work = new Map<string, { ms: number; pause: Pause }>()
    const during = async (what: string, run: () => Promise<unknown>): Promise<void> => {
      await askProbe(probe)
      const ms = await timed(run)
      work.set(what, { ms, pause: await askProbe(probe) })
    }
    await during('audit verify', () => verify(daemon))
    await during('audit verify again', () => verify(daemon))
    await during('audit export', () => exportAll(daemon))
    await daemon.stop()
    rmSync(own, { recursive: true, force: true })
    return { bytesEach, startMs: daemon.startupMs, pages, idle, work }
  }
}

/** Until its end; a build of before checks everything in one answer. */
async function verify(daemon: BenchDaemon): Promise<void> {
  for (;;) {
    const text = await ask(daemon, '/v1/audit/verify?archives=0')
    const verdict = JSON.parse(text) as { ok: boolean; finished?: boolean }
    if (!verdict.ok) throw new Error(`the audit does not verify: ${text}`)
    if (verdict.finished !== false) return
  }
}

/** Read past the command line, which would be slower than the daemon, and not kept. */
const exportAll = (daemon: BenchDaemon): Promise<string> => ask(daemon, '/v1/audit/export', false)

const ask = (daemon: BenchDaemon, path: string, isKept = true): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    request({ socketPath: join(daemon.folder, 'admin.sock'), path }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path} answered ${response.statusCode}`))
      response.setEncoding('utf8').on('error', reject)
      response.on('data', (part: string) => {
        if (isKept) text += part
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })

async function pagesOf(daemon: BenchDaemon, token: string): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < PAGES; index++) {
    const took = await timed(async () => {
      const response = await fetch(`${daemon.url}/execute?limit=20`, {
        headers: { authorization: `Bearer ${token}` },
      })
      await response.arrayBuffer()
    })
    if (index >= PAGES / 10) times.push(took)
  }
  return times
}

/** What a start leaves for later, a collection among it, is over then. */
const SETTLED_MS = 15_000
const IDLE_MS = 2_000

async function idleOf(probe: string): Promise<Pause> {
  await pause(SETTLED_MS)
  await askProbe(probe)
  await pause(IDLE_MS)
  return await askProbe(probe)
}

function askProbe(path: string): Promise<Pause> {
  return new Promise((resolve, reject) => {
    let text = ''
    connect(path)
      .setEncoding('utf8')
      .on('data', (chunk: string) => (text += chunk))
      .on('end', () => resolve(JSON.parse(text) as Pause))
      .on('error', reject)
  })
}

function print(ours: Measured, baseline: Measured | null, executions: number): void {
  console.log(`${executions} executions, five audit rows each`)
  for (const [name, one] of [
    ['baseline', baseline],
    ['oauth3', ours],
  ] as const) {
    if (one === null) continue
    const p50 = percentile(one.pages, 0.5).toFixed(1)
    console.log(
      `${name}: ${one.bytesEach.toFixed(0)} bytes an execution; start ${one.startMs.toFixed(0)} ms; page of 20 ${p50} ms (p50)`,
    )
    for (const [what, { ms, pause: longest }] of [
      ['idle', { ms: IDLE_MS, pause: one.idle }] as const,
      ...one.work,
    ]) {
      console.log(
        `  ${what.padEnd(20)}${ms.toFixed(0).padStart(8)} ms, longest pause ${longest.wallMs.toFixed(1)} ms (of it the loop's own work ${longest.cpuMs.toFixed(1)}; most work in one turn ${longest.mostCpuMs.toFixed(1)}); RSS ${longest.rssMib.toFixed(0)} MiB`,
      )
    }
  }
  const pauses = [...ours.work.values()].map(({ pause }) => pause)
  for (const [what, ms] of [
    [`longest pause (idle ${ours.idle.wallMs.toFixed(1)} ms)`, Math.max(...pauses.map((one) => one.wallMs))],
    ["most work of the loop's own in one turn", Math.max(...pauses.map((one) => one.mostCpuMs))],
  ] as const) {
    const wanted = `≤ ${PAUSE_GOAL_MS} ms at 1,000,000 executions`
    printGoal(`${what} ${ms.toFixed(1)} ms`, wanted, ms <= PAUSE_GOAL_MS)
  }
}
