import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { freePort, pause } from '../../bench/support.ts'
import { readInstanceId } from '../../src/storage/files/index.ts'
import { readServerInstanceId } from '../../src/storage/index.ts'
import { answerTo, fileOf, startTortureModel, type TortureModel, WITH_TOOL } from './claude-model.ts'
import { DaemonProcess } from './daemon-process.ts'
import type { TortureReport } from './kill-torture.ts'

/**
 * Kills the daemon with SIGKILL at random moments while apps have prompts run by the real CLI in real containers, then asks the model,
 * the engine and the disk what happened. The model counts the calls by itself, so that a prompt that was handed over twice is
 * seen whatever the database says.
 */
export interface ClaudeTortureOptions {
  readonly kills: number
  /** The PostgreSQL database that the daemon works on; left out: a file of SQLite. */
  readonly databaseUrl?: string
  readonly log: (line: string) => void
}

export async function tortureClaudeRuns(options: ClaudeTortureOptions): Promise<TortureReport> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-torture-'))
  await using model = await startTortureModel()
  const world = new World(folder, [await freePort(), await freePort()], model, options)
  try {
    await world.begin()
    const load = world.load()
    for (let kill = 1; kill <= options.kills; kill++) {
      await world.lifeUntilKilled()
      if (kill % 10 === 0) options.log(`${kill} kills, ${world.asked.length} prompts, ${model.count} calls`)
    }
    await world.undisturbed()
    world.closing.abort()
    await load
    return await world.reckon()
  } finally {
    world.closing.abort()
    await world.daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Kind = 'plain' | 'stream' | 'detached' | 'cancelled' | 'file' | 'tool' | 'session'
type View = Readonly<Record<string, unknown>>

interface Asked {
  readonly kind: Kind
  readonly mark: string
  readonly key: string
  readonly body: Readonly<Record<string, unknown>>
  /** Of a conversation: the prompts before it. */
  readonly before: readonly string[]
  /** Runs that it was ever answered with. */
  readonly ids: Set<string>
  /** The last that was told. */
  view: View | undefined
}

const KINDS: readonly Kind[] = ['plain', 'stream', 'detached', 'cancelled', 'file', 'tool']
const OVER = new Set(['done', 'failed', 'cancelled'])
/** Whatever else a run ends as is a defect: the model never fails, and nobody takes too long. */
const EXPECTED = new Set(['ok', 'cancelled', 'daemon_restarted', 'not_started', 'engine_away'])
/** The prompt was not handed over, so its key is free: a busy machine may start no container in time. */
const isFree = ({ code, started_at: at }: View): boolean =>
  code === 'not_started' || code === 'engine_away' || (code === 'daemon_restarted' && at === null)
const ANSWER_MS = 30_000
const END_MS = 120_000

class World {
  readonly asked: Asked[] = []
  readonly closing = new AbortController()
  readonly daemon: DaemonProcess
  readonly #appsUrl: string
  readonly #docker = new Docker()
  readonly #broken: string[] = []
  readonly #conversation: string[] = []
  #session: string | undefined
  #token = ''

  readonly folder: string
  readonly model: TortureModel
  readonly options: ClaudeTortureOptions

  constructor(
    folder: string,
    [port, appsPort]: number[],
    model: TortureModel,
    options: ClaudeTortureOptions,
  ) {
    this.folder = folder
    this.model = model
    this.options = options
    this.#appsUrl = `http://127.0.0.1:${appsPort}`
    this.daemon = new DaemonProcess(folder, port as number, {
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      OAUTH3_SANDBOX: 'docker',
      OAUTH3_POOL_SIZE: '0',
      OAUTH3_RATE_LIMIT: '100000',
      CLAWDFORGE_PORT: String(appsPort),
      CLAWDFORGE_MAX_RUNS: '3',
    })
  }

  async begin(): Promise<void> {
    await this.daemon.start()
    await this.daemon.cli(['provider', 'set', 'anthropic', `url=${this.model.origin}`, '--private'])
    await this.daemon.cli(['key', 'add', 'anthropic'], `torture-${randomBytes(24).toString('hex')}`)
    const { token } = JSON.parse(
      await this.daemon.cli(['app', 'add', 'torture', '--tool', 'Bash', '--json']),
    ) as { token: string }
    this.#token = token
  }

  /** Apps that know nothing of kills: whoever got no answer asks again under the same key. */
  async load(): Promise<void> {
    await Promise.all([this.#asks(KINDS), this.#asks(KINDS), this.#asks(KINDS), this.#asks(['session'])])
  }

  /** One life of the daemon, which ends at a random moment; on a slow machine half of them not before the model was asked. */
  async lifeUntilKilled(): Promise<void> {
    const before = this.model.count
    const isLater = Math.random() < 0.6
    for (const until = Date.now() + 20_000; isLater && Date.now() < until; await pause(10))
      if (this.model.count > before) break
    await pause(Math.random() * 900)
    await this.daemon.kill()
    const left = await this.#left()
    await this.daemon.start()
    const still = (await this.#left()).filter((name) => left.includes(name))
    if (still.length > 0) this.#broken.push(`a restart left ${still.join(', ')}`)
  }

  /** After the last kill: until each of them was answered in a life that nobody ends. */
  async undisturbed(): Promise<void> {
    const before = this.model.count
    for (const until = Date.now() + END_MS; Date.now() < until; await pause(50))
      if (this.model.count > before + 8) return
  }

  /** Every promise, held against what the model, the engine and the disk saw. */
  async reckon(): Promise<TortureReport> {
    for (const [turn, count] of this.model.calls)
      if (count > 1) this.#broken.push(`the model was asked ${count} times: ${turn}`)
    for (const problem of this.model.refused) this.#broken.push(`the vendor would have refused: ${problem}`)
    const runs = await this.#allRuns()
    const byStatus: Record<string, number> = {}
    for (const { code } of runs.values()) byStatus[String(code)] = (byStatus[String(code)] ?? 0) + 1
    for (const asked of this.asked) await this.#check(asked, runs)
    await this.#checkSession()
    const verdict = JSON.parse(await this.daemon.cli(['audit', 'verify', '--json'])) as { ok: boolean }
    if (!verdict.ok) this.#broken.push(`the audit does not verify: ${JSON.stringify(verdict)}`)
    await this.daemon.stop()
    await this.#nothingLeftBehind()
    return { kills: this.options.kills, requests: this.asked.length, byStatus, broken: this.#broken }
  }

  /** Of every run that the audit has: how it ended, which it tells once, as the run itself does. */
  async #allRuns(): Promise<ReadonlyMap<string, View>> {
    const told = new Map<string, Map<string, number>>()
    for (const line of (await this.daemon.cli(['audit', 'export'])).split('\n')) {
      if (!line.includes('"run.')) continue
      const { event, request_id: id } = JSON.parse(line) as { event: string; request_id: string }
      const events = told.get(id) ?? new Map<string, number>()
      told.set(id, events.set(event, (events.get(event) ?? 0) + 1))
    }
    const runs = new Map<string, View>()
    for (const [id, events] of told) {
      const view = await this.#call('GET', `/run/${id}`)
      if (view === undefined) {
        this.#broken.push(`${id} is in the audit and nowhere else`)
        continue
      }
      runs.set(id, view)
      const ends = (events.get('run.finished') ?? 0) + (events.get('run.cancelled') ?? 0)
      if (ends !== 1 || (events.get('run.submitted') ?? 0) !== 1 || (events.get('run.started') ?? 0) > 1)
        this.#broken.push(`${id} has the events ${JSON.stringify([...events])}`)
      if (!OVER.has(String(view.state)) || !EXPECTED.has(String(view.code)))
        this.#broken.push(`${id} is ${view.state} with ${view.code}: ${JSON.stringify(view.error)}`)
    }
    return runs
  }

  async #check(asked: Asked, runs: ReadonlyMap<string, View>): Promise<void> {
    const { kind, mark, key, body, view } = asked
    const sha256 = createHash('sha256').update(String(body.prompt)).digest('hex')
    const own = [...runs].filter(([, { prompt_sha256: of }]) => of === sha256)
    const begun = own.filter(([, run]) => run.started_at !== null && !isFree(run))
    const calls =
      (this.model.calls.get(`${mark} first`) ?? 0) + (this.model.calls.get(`${mark} after the tool`) ?? 0)
    const is = `${kind} ${mark}`
    if (begun.length > 1) this.#broken.push(`${is} was begun ${begun.length} times`)
    if (calls > 0 && begun.length === 0) this.#broken.push(`${is} reached the model and was never begun`)
    for (const id of asked.ids) if (!runs.has(id)) this.#broken.push(`${is}: its run ${id} is gone`)
    if (view === undefined) this.#broken.push(`${is} has no end`)
    const [first] = begun
    if (first === undefined) return
    const again = await this.#call('POST', '/run', body, { 'idempotency-key': key })
    if (again?.run_id !== first[0])
      this.#broken.push(`${is}: its key answers ${again?.run_id} (${again?.code}), not ${first[0]}`)
    if (first[1].code !== 'ok') return
    if (first[1].result !== answerTo(mark)) this.#broken.push(`${is} gave ${JSON.stringify(first[1].result)}`)
    if (calls !== (kind === 'tool' ? 2 : 1)) this.#broken.push(`${is} is ok after ${calls} calls`)
    if (kind === 'file' && !this.model.filesSeen.has(mark)) this.#broken.push(`${is}: no file was seen`)
    const heard = this.model.conversations.get(mark)?.join()
    if (heard !== [...asked.before, mark].join()) this.#broken.push(`${is}: the conversation was ${heard}`)
  }

  async #checkSession(): Promise<void> {
    if (this.#session === undefined) return
    const { sessions } = ((await this.#call('GET', '/sessions')) ?? {}) as { sessions?: readonly View[] }
    const row = sessions?.find(({ session_id: id }) => id === this.#session)
    if (row?.runs !== this.#conversation.length)
      this.#broken.push(`the session has ${row?.runs} runs of ${this.#conversation.length}`)
  }

  async #asks(kinds: readonly Kind[]): Promise<void> {
    while (!this.closing.signal.aborted) {
      const kind = kinds[Math.floor(Math.random() * kinds.length)] as Kind
      await this.#ask(kind)
      await pause(Math.random() * 50)
    }
  }

  async #ask(kind: Kind): Promise<void> {
    const mark = `mark-${randomBytes(16).toString('hex')}`
    const session = kind === 'session' ? { session: { ...(this.#session && { id: this.#session }) } } : {}
    const asked: Asked = {
      ...{ kind, mark, key: randomUUID(), ids: new Set<string>(), view: undefined },
      before: kind === 'session' ? [...this.#conversation] : [],
      body: {
        prompt: kind === 'tool' ? `${WITH_TOOL}: ${mark}` : mark,
        ...(kind === 'tool' ? { tools: ['Bash'] } : {}),
        ...(kind === 'stream' ? { stream: true } : {}),
        ...(kind === 'file' ? { files: [await this.#upload(mark)] } : {}),
        // Whoever waits for its answer and is not detached would end the run by leaving, which a kill does to all of them.
        ...(kind === 'detached' || kind === 'cancelled' || kind === 'session' ? { detach: true } : {}),
        ...session,
      },
    }
    this.asked.push(asked)
    const id = await this.#submit(asked)
    if (kind === 'cancelled') {
      await pause(Math.random() * 800)
      await this.#call('DELETE', `/run/${id}`)
    }
    asked.view = await this.#end(asked, id)
    if (kind !== 'session' || asked.view?.code !== 'ok') return
    this.#session = String(asked.view.session_id)
    this.#conversation.push(mark)
  }

  /** Repeats with one key until it is answered with a run, as an app must whose connection broke: across lives of the daemon. */
  async #submit(asked: Asked): Promise<string> {
    for (;;) {
      const answer = await this.#call('POST', '/run', asked.body, { 'idempotency-key': asked.key })
      if (typeof answer?.run_id === 'string') {
        asked.ids.add(answer.run_id)
        return answer.run_id
      }
      await pause(50)
    }
  }

  /** Undefined: it never came. A run that ended before it had begun is asked for again. */
  async #end(asked: Asked, id: string): Promise<View | undefined> {
    for (const until = Date.now() + END_MS; Date.now() < until; await pause(50)) {
      const view = await this.#call('GET', `/run/${id}`)
      if (view === undefined || !OVER.has(String(view.state))) continue
      if (!isFree(view) || this.closing.signal.aborted) return view
      return await this.#end(asked, await this.#submit(asked))
    }
    return undefined
  }

  async #upload(mark: string): Promise<string> {
    for (;;) {
      const form = new FormData()
      form.set('file', new Blob([fileOf(mark)]), 'note.txt')
      const answer = await this.#fetch('POST', '/files', form)
      const { file_token: token } = (answer === undefined ? {} : JSON.parse(answer)) as {
        file_token?: string
      }
      if (token !== undefined) return token
      await pause(50)
    }
  }

  /** Undefined where the daemon was gone, and for what it has not. */
  async #call(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<View | undefined> {
    const text = await this.#fetch(method, path, body === undefined ? undefined : JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    })
    if (text === undefined) return undefined
    // Of a stream: the run, which its first event tells.
    const json = text.startsWith('retry:') ? /^data: (.*)$/m.exec(text)?.[1] : text
    const view = JSON.parse(json ?? '{}') as View
    return view.code === 'not_found' ? undefined : view
  }

  async #fetch(
    method: string,
    path: string,
    body: FormData | string | undefined,
    headers: Record<string, string> = {},
  ): Promise<string | undefined> {
    try {
      const response = await fetch(this.#appsUrl + path, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      return await response.text()
    } catch {
      return undefined
    }
  }

  async #instance(): Promise<string | undefined> {
    const { databaseUrl } = this.options
    return databaseUrl === undefined
      ? readInstanceId(join(this.folder, 'proxy.db'))
      : await readServerInstanceId(databaseUrl)
  }

  /** Containers, and folders of endpoints. */
  async #left(): Promise<readonly string[]> {
    const filters = { label: [`oauth3.instance=${await this.#instance()}-claude`] }
    const containers = await this.#docker.listContainers({ all: true, filters })
    return [
      ...containers.map(({ Id, Status }) => `container ${Id.slice(0, 12)} (${Status})`),
      ...readdirSync(join(this.folder, 'gateway')).map((name) => `endpoint ${name}`),
    ]
  }

  async #nothingLeftBehind(): Promise<void> {
    const left = await this.#left()
    const drafts = readdirSync(join(this.folder, 'claude-runs'), {
      recursive: true,
      encoding: 'utf8',
    }).filter((name) => name.endsWith('.draft'))
    if (left.length + drafts.length > 0) this.#broken.push(`left behind: ${[...left, ...drafts].join(', ')}`)
  }
}
