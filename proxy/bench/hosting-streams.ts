/**
 * How fast bytes come out of a machine: a desktop's picture and a browser's answers through the daemon, beside a bare copy of the same bytes between
 * the same sockets, and beside websockify, which does for any server of VNC what the daemon does for a desktop.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientJob, type ClientResult, type DaemonAnswer, SOCKET } from './hosting-streams-peers.ts'
import { childrenOf, cpuMs } from './nginx.ts'
import { startPeer } from './peers.ts'
import { AS_STARTED, freePort, pause, percentile, printGoal } from './support.ts'

const MB = 1_000_000
const PEERS = new URL('hosting-streams-peers.ts', import.meta.url)
const WEBSOCKIFY_MISSING =
  'websockify is missing; install it with `apt-get install -y --no-install-recommends websockify`.'
/** Of the throughput of the two beside it. */
const GOALS = { copy: 0.7, websockify: 2 }

interface Target {
  readonly name: string
  /** What is asked for anew in each round. */
  job(): Promise<Omit<ClientJob, 'bytes'>>
  pids(): readonly number[]
}

interface Sample {
  readonly mbPerSecond: number
  readonly cpuMsPerMb: number
}

export async function benchHostingStreams({
  rounds,
  bytes,
}: {
  readonly rounds: number
  readonly bytes: number
}): Promise<void> {
  if (spawnSync('websockify', ['--help']).error !== undefined) {
    console.error(`\n${WEBSOCKIFY_MISSING}`)
    process.exitCode = 1
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-streams-'))
  const [machine, copy, client] = ['machine', 'copy', 'client'].map((role) => startPeer(PEERS, role)) as [
    Peer,
    Peer,
    Peer,
  ]
  const daemon = startPeer(PEERS, 'daemon', {
    execArgv: [...process.execArgv, ...AS_STARTED.options],
    env: { ...process.env, ...AS_STARTED.env },
  })
  const websockify = await startWebsockify(folder)
  try {
    await machine.ask(folder)
    const copyPort = await copy.ask<number>(folder)
    const ours = (which: 'vnc' | 'cdp') => async () => {
      const { port, [which]: upgrade } = await daemon.ask<DaemonAnswer>(folder)
      return { port, upgrade }
    }
    const targets: readonly Target[] = [
      { name: 'copy', job: async () => ({ port: copyPort, upgrade: null }), pids: () => [copy.pid] },
      { name: 'websockify', job: async () => websockify.job, pids: websockify.pids },
      { name: 'vnc', job: ours('vnc'), pids: () => [daemon.pid] },
      { name: 'cdp', job: ours('cdp'), pids: () => [daemon.pid] },
    ]
    const samples = new Map(targets.map(({ name }) => [name, [] as Sample[]]))
    for (let round = -1; round < rounds; round += 1) {
      const first = (round + 1) % targets.length
      for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
        const sample = await measure(client, target, bytes)
        if (round >= 0) samples.get(target.name)?.push(sample)
      }
    }
    print(samples, bytes)
  } finally {
    await Promise.all([client, daemon, copy, machine].map((peer) => peer.stop()))
    websockify.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Peer = ReturnType<typeof startPeer>

async function measure(client: Peer, { job, pids }: Target, bytes: number): Promise<Sample> {
  const asked: ClientJob = { ...(await job()), bytes }
  const before = new Map(pids().map((pid) => [pid, cpuMs([pid])]))
  const { ms } = await client.ask<ClientResult>(asked)
  // Of a process that came with the connection all is of it.
  const cpu = pids().reduce((sum, pid) => sum + cpuMs([pid]) - (before.get(pid) ?? 0), 0)
  return { mbPerSecond: bytes / MB / (ms / 1_000), cpuMsPerMb: cpu / (bytes / MB) }
}

async function startWebsockify(folder: string) {
  const port = await freePort()
  const target = `--unix-target=${join(folder, SOCKET.bare)}`
  const child = spawn('websockify', [target, `127.0.0.1:${port}`], { stdio: 'ignore' })
  const isUp = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  while (!(await isUp())) {
    if (child.exitCode !== null) throw new Error(`websockify ended with ${child.exitCode}`)
    await pause(50)
  }
  const { pid = 0 } = child
  return {
    job: { port, upgrade: { path: '/', authorization: null } },
    pids: (): readonly number[] => [pid, ...childrenOf(pid)],
    stop: () => void child.kill('SIGTERM'),
  }
}

function print(samples: ReadonlyMap<string, readonly Sample[]>, bytes: number): void {
  const middle = (name: string, figure: (sample: Sample) => number): number =>
    percentile((samples.get(name) ?? []).map(figure), 0.5)
  const speed = (name: string): number => middle(name, ({ mbPerSecond }) => mbPerSecond)
  const count = samples.get('copy')?.length ?? 0
  console.log(`\n${bytes / MB} MB out of a machine (medians of ${count} rounds each)`)
  console.log(`${''.padEnd(12)}${'MB/s'.padStart(9)}${'own CPU ms/MB'.padStart(16)}`)
  for (const name of samples.keys()) {
    const cpu = middle(name, ({ cpuMsPerMb }) => cpuMsPerMb)
    console.log(`${name.padEnd(12)}${speed(name).toFixed(0).padStart(9)}${cpu.toFixed(2).padStart(16)}`)
  }
  const most = speed('copy') / speed('websockify')
  // websockify neither allocates a buffer for each read nor goes round a loop between two: no copy in Node is twice as fast.
  console.log(`the most: a bare copy of Node's is ${most.toFixed(2)} × as fast as websockify`)
  for (const ours of ['vnc', 'cdp'])
    for (const [theirs, goal] of Object.entries(GOALS)) {
      const ratio = speed(ours) / speed(theirs)
      printGoal(`${ours} is ${ratio.toFixed(2)} × as fast as ${theirs}`, `at least ${goal}`, ratio >= goal)
    }
}
