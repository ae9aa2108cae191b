/**
 * The real process, as root has it or as anybody: what an agent causes never has more of the processor than the event loop
 * that all agents wait for.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { getPriority, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { adminCall } from '../support/daemon-kit.ts'
import { patience } from '../support/pace.ts'

const ROOT = join(import.meta.dirname, '../../..')
const NODE = join(ROOT, 'node_modules/node/bin/node')

let folder: string
let child: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-priority-'))
})
afterEach(async () => {
  if (child?.exitCode === null) {
    const gone = new Promise((resolve) => child?.once('exit', resolve))
    // Its drain would wait for the run.
    for (const run of childrenOf(child.pid as number)) process.kill(run, 'SIGKILL')
    child.kill('SIGTERM')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
})

/** Whether the system lets this user go before others. */
const mayRaise = (): boolean => {
  const sleeper = spawn('sleep', ['60'])
  try {
    setPriority(sleeper.pid as number, -10)
    return true
  } catch {
    return false
  } finally {
    sleeper.kill('SIGKILL')
  }
}

/** Fields 4 and 19 of proc_pid_stat(5); the second field may hold anything. */
function statOf(path: string): { parent: number; nice: number } {
  const fields = (readFileSync(path, 'utf8').split(') ').at(-1) ?? '').split(' ')
  return { parent: Number(fields[1]), nice: Number(fields[16]) }
}

const priority = (pid: number): number => statOf(`/proc/${pid}/stat`).nice

const threadsOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).map((thread) => statOf(`/proc/${pid}/task/${thread}/stat`).nice)

const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        return statOf(`/proc/${name}/stat`).parent === pid
      } catch {
        return false
      }
    })
    .map(Number)

/** A daemon that is up; its code runs beside it, in processes that it starts itself. */
async function start(): Promise<{ pid: number; url: string }> {
  const running = spawn(NODE, [join(ROOT, 'proxy/src/main.ts'), 'daemon'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      HOME: folder,
      PATH: process.env.PATH,
      PORT: '0',
      DB_PATH: join(folder, 'proxy.db'),
      OAUTH3_SANDBOX: 'embedded',
    },
  })
  child = running
  let log = ''
  const url = await new Promise<string>((resolve, reject) => {
    running.stdout.on('data', (chunk: Buffer) => {
      log += chunk
      const ready = log.split('\n').find((line) => line.includes('oauth3 is ready'))
      const said = /"url":"([^"]+)"/.exec(ready ?? '')?.[1]
      if (said !== undefined) resolve(said)
    })
    running.once('exit', (code) => reject(new Error(`the daemon ended with ${code}: ${log}`)))
  })
  return { pid: running.pid as number, url }
}

/** Has code run for a minute, and resolves once it does. */
async function run(url: string): Promise<void> {
  const admin = (method: string, path: string, body?: unknown) =>
    adminCall(join(folder, 'admin.sock'), method, path, body)
  const { token } = (await admin('POST', '/v1/agents', { name: 'claw' })).body
  const asked = await fetch(`${url}/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      skill_id: 'demo',
      code: 'await new Promise((done) => setTimeout(done, 60_000))\n',
      metadata: { timeout: 60 },
    }),
  })
  const { request_id: id } = (await asked.json()) as { request_id: string }
  const { consent_hash } = (await admin('GET', `/v1/requests/${id}`)).body
  await admin('POST', `/v1/requests/${id}/decision`, { decision: 'once', consent_hash })
}

it(
  'lets the event loop go first where it may, and starts threads and code at the usual priority at most',
  async () => {
    const { pid, url } = await start()
    const mine = getPriority()
    const wanted = mine === 0 && mayRaise() ? -10 : mine
    await expect.poll(() => priority(pid)).toBe(wanted)
    // A program is read in a thread, and its code runs in a process.
    await run(url)
    await expect.poll(() => childrenOf(pid).length, { timeout: patience(30_000) }).toBeGreaterThan(0)
    // One look: processes come and go.
    const priorities = childrenOf(pid).map(priority)
    expect(priorities).toEqual(priorities.map(() => mine))
    // While it starts a process the event loop itself is at the usual priority, so one look may miss it.
    const above = () => threadsOf(pid).filter((nice) => nice < mine)
    await expect.poll(above).toEqual(wanted < mine ? [wanted] : [])
    await expect.poll(() => priority(pid)).toBe(wanted)
  },
  patience(120_000),
)
