/**
 * The real process with a real container, stopped as npm, terminals and supervisors do it: by a signal to the whole group,
 * which reaches the daemon several times.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminCall } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { patience } from '../support/pace.ts'

const ROOT = join(import.meta.dirname, '../../..')
const NODE = join(ROOT, 'node_modules/node/bin/node')
const docker = await dockerOrSkip()

let folder: string
let child: ChildProcess | undefined
let instance = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-stop-'))
})
afterEach(async () => {
  if (child?.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
  for (const { Id } of await containers()) await new Docker().getContainer(Id).remove({ force: true })
  rmSync(folder, { recursive: true, force: true })
})

const containers = () =>
  new Docker().listContainers({ all: true, filters: { label: [`oauth3.instance=${instance}`] } })

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}

const WAYS: Record<string, readonly string[]> = {
  'npm start': ['npm', 'start'],
  'the launcher': [NODE, join(ROOT, 'proxy/bin/oauth3.js'), 'daemon'],
  node: [NODE, join(ROOT, 'proxy/src/main.ts'), 'daemon'],
}

/** Starts the daemon in a group of its own, with code under way in a container. */
async function startBusy(
  way: string,
  seconds: number,
): Promise<{ pid: number; exited: Promise<number | null>; isStopping(): boolean }> {
  const [command = '', ...args] = WAYS[way] ?? []
  const { HOME = '' } = process.env
  const running = spawn(command, args, {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      HOME,
      PATH: `${join(ROOT, 'node_modules/node/bin')}:${process.env.PATH}`,
      PORT: '0',
      DB_PATH: join(folder, 'proxy.db'),
      OAUTH3_POOL_SIZE: '1',
    },
  })
  child = running
  const exited = new Promise<number | null>((resolve) => running.once('exit', resolve))
  let log = ''
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      log += chunk
      const ready = log.split('\n').find((line) => line.includes('oauth3 is ready'))
      const said = /"url":"([^"]+)"/.exec(ready ?? '')?.[1]
      if (said !== undefined) resolve(said)
    }
    running.stdout.on('data', take)
    running.stderr.on('data', take)
    running.once('exit', (code) => reject(new Error(`the daemon ended with ${code}: ${log}`)))
  })
  instance = read<{ value: string }>("SELECT value FROM installation WHERE key = 'instance_id'").value
  const admin = (method: string, path: string, body?: unknown) =>
    adminCall(join(folder, 'admin.sock'), method, path, body)
  const { token } = (await admin('POST', '/v1/agents', { name: 'claw' })).body
  const asked = await fetch(`${url}/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      skill_id: 'demo',
      code: `await new Promise((done) => setTimeout(done, ${seconds * 1_000}))\nconsole.log("whole")\n`,
      metadata: { timeout: 60 },
    }),
  })
  const { request_id: id } = (await asked.json()) as { request_id: string }
  const { consent_hash } = (await admin('GET', `/v1/requests/${id}`)).body
  await admin('POST', `/v1/requests/${id}/decision`, { decision: 'once', consent_hash })
  await expect.poll(() => status(), { timeout: patience(30_000) }).toBe('running')
  expect((await containers()).length).toBeGreaterThan(0)
  return { pid: running.pid as number, exited, isStopping: () => log.includes('oauth3 is stopping') }
}

function read<T>(sql: string, within = ''): T {
  const db = new Database(join(folder, within, 'proxy.db'), { readonly: true })
  try {
    return db.prepare(sql).get() as T
  } finally {
    db.close()
  }
}
const status = (): string => read<{ status: string }>('SELECT status FROM executions').status

async function groupIsGone(pid: number): Promise<void> {
  await expect.poll(() => signalGroup(pid, 0), { timeout: patience(40_000) }).toBe(false)
}

describe.skipIf(!docker.available)('a signal that comes more than once', () => {
  it.each<[string, NodeJS.Signals]>([
    ['npm start', 'SIGINT'],
    ['npm start', 'SIGTERM'],
    ['the launcher', 'SIGHUP'],
    ['node', 'SIGTERM'],
  ])(
    'to the group of %s, %s: what runs ends in good order, and nothing is left behind',
    async (way, signal) => {
      const { pid } = await startBusy(way, 3)
      signalGroup(pid, signal)
      await sleep(100)
      signalGroup(pid, signal)
      signalGroup(pid, 'SIGTERM')
      await groupIsGone(pid)
      expect(await containers()).toEqual([])
      expect([status(), existsSync(join(folder, 'admin.sock'))]).toEqual(['success', false])
      const gateway = join(folder, 'gateway')
      expect(existsSync(gateway) ? readdirSync(gateway) : []).toEqual([])
    },
    patience(120_000),
  )

  it(
    'later than two seconds ends the process at once',
    async () => {
      const { pid, exited, isStopping } = await startBusy('node', 50)
      signalGroup(pid, 'SIGINT')
      // The two seconds begin when the process takes the signal, which a busy machine delays.
      await expect.poll(isStopping, { timeout: patience(10_000) }).toBe(true)
      await sleep(2_100)
      expect(signalGroup(pid, 'SIGINT')).toBe(true)
      expect(await exited).toBe(1)
      expect(status()).toBe('running')
      expect((await containers()).length).toBeGreaterThan(0)
    },
    patience(120_000),
  )

  it(
    'to the group of npm run demo: its containers and its folder are gone',
    async () => {
      const running = spawn('npm', ['run', 'demo'], {
        cwd: ROOT,
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          HOME: process.env.HOME,
          PATH: `${join(ROOT, 'node_modules/node/bin')}:${process.env.PATH}`,
          OAUTH3_SANDBOX: 'docker',
          TMPDIR: folder,
        },
      })
      child = running
      const pid = running.pid as number
      let said = ''
      running.stdout.on('data', (chunk: Buffer) => {
        said += chunk
      })
      await expect.poll(() => said, { timeout: patience(60_000) }).toContain('agents reach it at')
      const demoFolders = () => readdirSync(folder).filter((name) => name.startsWith('oauth3-demo-'))
      const [own = ''] = demoFolders()
      instance = read<{ value: string }>(
        "SELECT value FROM installation WHERE key = 'instance_id'",
        own,
      ).value
      await expect
        .poll(async () => (await containers()).length, { timeout: patience(30_000) })
        .toBeGreaterThan(0)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT', 'SIGTERM'] as const) {
        signalGroup(pid, signal)
        await sleep(5)
      }
      await groupIsGone(pid)
      expect([await containers(), demoFolders()]).toEqual([[], []])
    },
    patience(120_000),
  )
})
