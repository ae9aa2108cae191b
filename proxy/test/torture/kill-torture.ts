import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { freePort, pause } from '../../bench/support.ts'
import { readInstanceId } from '../../src/storage/files/index.ts'
import { readServerInstanceId } from '../../src/storage/index.ts'
import { DaemonProcess } from './daemon-process.ts'
import { type Outside, startOutside, WEBHOOK_SECRET } from './outside.ts'

/**
 * Kills the daemon with SIGKILL at random moments under load, again and again, then asks the world outside what
 * happened. The code that runs reports itself to a counter over a real network, so that a second run would be
 * seen whatever the database says.
 */
export interface TortureOptions {
  readonly kills: number
  readonly sandbox: 'docker' | 'embedded'
  /** The PostgreSQL database that the daemon works on; left out: a file of SQLite. */
  readonly databaseUrl?: string
  readonly log: (line: string) => void
}

export interface TortureReport {
  readonly kills: number
  readonly requests: number
  readonly byStatus: Readonly<Record<string, number>>
  /** Each is a broken promise; empty when all held. */
  readonly broken: readonly string[]
}

interface Asked {
  readonly requestId: string
  readonly mark: string
  decisionAccepted: boolean
}

export async function tortureWithKills(options: TortureOptions): Promise<TortureReport> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-torture-'))
  const outside = await startOutside(options.sandbox)
  const world = new World(folder, await freePort(), outside, options)
  try {
    await world.begin()
    for (let kill = 1; kill <= options.kills; kill++) {
      await world.underLoadUntilKilled()
      if (kill % 10 === 0) options.log(`${kill} kills, ${world.asked.length} requests`)
    }
    return await world.reckon()
  } finally {
    await world.daemon.stop()
    outside.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const MOST_OPEN = 24
const FINAL = new Set(['success', 'failed', 'denied', 'expired', 'cancelled'])

class World {
  readonly asked: Asked[] = []
  readonly daemon: DaemonProcess
  #token = ''
  readonly #broken: string[] = []

  readonly folder: string
  readonly outside: Outside
  readonly options: TortureOptions

  constructor(folder: string, port: number, outside: Outside, options: TortureOptions) {
    this.folder = folder
    this.outside = outside
    this.options = options
    this.daemon = new DaemonProcess(folder, port, {
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      OAUTH3_SANDBOX: options.sandbox,
      OAUTH3_RATE_LIMIT: '100000',
      OAUTH3_MAX_WAITING: '1000',
      OAUTH3_WEBHOOK_URL: `http://${outside.host}:${outside.port}/wake`,
      OAUTH3_WEBHOOK_SECRET: WEBHOOK_SECRET,
    })
  }

  async begin(): Promise<void> {
    await this.daemon.start()
    const added = JSON.parse(await this.daemon.cli(['agent', 'add', 'torture', '--json'])) as {
      token: string
    }
    this.#token = added.token
    await this.daemon.cli(['secret', 'add', 'TORTURE_KEY'], 'torture-value-not-a-real-one')
  }

  /** One life of the daemon: agents ask, a person answers, and at a random moment it is gone. */
  async underLoadUntilKilled(): Promise<void> {
    if (!this.daemon.isUp) await this.daemon.start()
    const life = new AbortController()
    const before = this.asked.length
    const load = [this.#agent(life.signal), this.#agent(life.signal), this.#person(life.signal)]
    // On a slow machine most lives would end before the first answer.
    const isLater = Math.random() < 0.5
    for (const until = Date.now() + 10_000; isLater && Date.now() < until; await pause(20))
      if (this.asked.length > before) break
    await pause(50 + Math.random() * 1_200)
    await this.daemon.kill()
    life.abort()
    await Promise.all(load)
  }

  /** After the last kill: one undisturbed life, then every promise is checked against what the outside saw. */
  async reckon(): Promise<TortureReport> {
    await this.daemon.start()
    const person = new AbortController()
    const answering = this.#person(person.signal)
    const final = new Map<string, { status: string; error?: { code: string } }>()
    const deadline = Date.now() + 120_000
    while (final.size < this.asked.length && Date.now() < deadline) {
      for (const { requestId } of this.asked) {
        if (final.has(requestId)) continue
        // Read through the owner's socket: the agent's own reading would stop the wakes.
        const view = (await this.daemon.admin('GET', `/v1/requests/${requestId}`))?.body
        if (!view || !FINAL.has(String(view.status))) continue
        final.set(requestId, {
          status: String(view.status),
          ...(view.failure ? { error: { code: String(view.failure) } } : {}),
        })
      }
      await pause(200)
    }
    person.abort()
    await answering
    const notTold = (): number =>
      this.asked.filter(({ requestId }) => !this.outside.told.has(requestId)).length
    for (const until = Date.now() + 150_000; notTold() > 0 && Date.now() < until; ) await pause(500)

    for (const asked of this.asked) this.#check(asked, final.get(asked.requestId))
    if (this.outside.badSignatures() > 0)
      this.#broken.push(`${this.outside.badSignatures()} wakes had a bad signature`)
    const verdict = JSON.parse(await this.daemon.cli(['audit', 'verify', '--json'])) as { ok: boolean }
    if (!verdict.ok) this.#broken.push(`the audit does not verify: ${JSON.stringify(verdict)}`)
    await this.daemon.stop()
    await this.#nothingLeftBehind()
    const byStatus: Record<string, number> = {}
    for (const { status, error } of final.values()) {
      const name = error ? `${status}:${error.code}` : status
      byStatus[name] = (byStatus[name] ?? 0) + 1
    }
    return { kills: this.options.kills, requests: this.asked.length, byStatus, broken: this.#broken }
  }

  #check(
    { requestId, mark, decisionAccepted }: Asked,
    end: { status: string; error?: { code: string } } | undefined,
  ): void {
    const ran = this.outside.runs.get(mark) ?? 0
    if (!end) return void this.#broken.push(`${requestId} has no outcome`)
    if (ran > 1) this.#broken.push(`${requestId} ran ${ran} times`)
    if (end.status === 'success' && ran !== 1)
      this.#broken.push(`${requestId} is success and ran ${ran} times`)
    if (decisionAccepted && !['success', 'failed'].includes(end.status))
      this.#broken.push(`${requestId} was approved and is ${end.status}`)
    if (end.status === 'failed' && end.error?.code !== 'interrupted' && end.error?.code !== 'sandbox_lost') {
      this.#broken.push(`${requestId} failed with ${end.error?.code}`)
    }
    if (!this.outside.told.has(requestId))
      this.#broken.push(`the agent was never told of ${requestId} (${end.status})`)
  }

  async #nothingLeftBehind(): Promise<void> {
    const left = readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) =>
        !/^(proxy\.db(-wal|-shm|\.lock)?|master\.key|gateway|reserve|compile-cache(\/.*)?)$/.test(name),
    )
    if (left.length > 0) this.#broken.push(`files left behind: ${left.join(', ')}`)
    if (this.options.sandbox !== 'docker') return
    const docker = new Docker()
    const { databaseUrl } = this.options
    const instance =
      databaseUrl === undefined
        ? readInstanceId(join(this.folder, 'proxy.db'))
        : await readServerInstanceId(databaseUrl)
    if (instance === undefined) return void this.#broken.push('the installation has lost its id')
    const filters = { label: [`oauth3.instance=${instance}`] }
    const containers = await docker.listContainers({ all: true, filters })
    const networks = await docker.listNetworks({ filters })
    if (containers.length + networks.length > 0) {
      this.#broken.push(`${containers.length} containers and ${networks.length} networks left behind`)
    }
  }

  async #agent(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // More than the daemon can run between two kills would only pile up.
      const open = await this.#http(
        'GET',
        '/execute?status=pending,awaiting_secrets,approved,running&limit=100',
      )
      if (!Array.isArray(open?.executions) || open.executions.length >= MOST_OPEN) {
        await pause(50)
        continue
      }
      const isTrusted = Math.random() < 0.3
      const mark = randomUUID()
      const body = JSON.stringify({
        skill_id: isTrusted ? 'torture/same' : 'torture/fresh',
        code: `const response = await fetch('http://${this.outside.host}:${this.outside.port}/ran?mark=' + JSON.parse(Deno.env.get('OAUTH3_ARGS')).mark)\nconsole.log(await response.text(), Deno.env.get('TORTURE_KEY').length)\n`,
        secrets: ['TORTURE_KEY'],
        args: { mark },
        metadata: { network: [`http://${this.outside.host}:${this.outside.port}`] },
      })
      await this.#submit(body, mark, signal)
      await pause(30)
    }
  }

  /** Repeats with one key until answered, as an agent must whose connection broke: across lives of the daemon. */
  async #submit(body: string, mark: string, signal: AbortSignal): Promise<void> {
    const key = randomUUID()
    for (;;) {
      const answer = await this.#http('POST', '/execute', body, { 'idempotency-key': key, prefer: 'wait=0' })
      if (answer && typeof answer.request_id === 'string') {
        this.asked.push({ requestId: answer.request_id, mark, decisionAccepted: false })
        return
      }
      // What was never answered was never promised; its mark may have run at most once all the same.
      if (signal.aborted) return
      await pause(50)
    }
  }

  async #person(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const asked of this.asked.filter(({ decisionAccepted }) => !decisionAccepted).slice(0, 3)) {
        if (signal.aborted) return
        const view = (await this.daemon.admin('GET', `/v1/requests/${asked.requestId}`))?.body
        if (!view) continue
        if (view.status !== 'pending') {
          // Decided already, by an answer that the kill kept from us, or trusted from the start.
          asked.decisionAccepted = true
          continue
        }
        const decision = view.skill_id === 'torture/same' ? 'trust24h_any' : 'once'
        const answer = await this.daemon.admin('POST', `/v1/requests/${asked.requestId}/decision`, {
          decision,
          consent_hash: view.consent_hash,
        })
        if (answer && answer.status < 500) asked.decisionAccepted = true
      }
      await pause(40)
    }
  }

  async #http(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown> | undefined> {
    try {
      const response = await fetch(this.daemon.url + path, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(10_000),
      })
      return (await response.json()) as Record<string, unknown>
    } catch {
      return undefined
    }
  }
}
