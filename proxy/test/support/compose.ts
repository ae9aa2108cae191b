/** docker-compose as an owner would use it, on a copy of what it reads, under a project name of its own. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type DockerAvailability, dockerOrSkip } from './docker.ts'
import { freePort } from './free-port.ts'
import { patience } from './pace.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const SOCKET = '/var/run/docker.sock'
const BASE_IMAGES = ['debian:bookworm-slim', 'node:24-bookworm-slim']
/** What docker-compose.yml and the Dockerfile read, and .env.example besides. */
const FILES = [
  '.dockerignore',
  '.npmrc',
  'docker-compose.yml',
  'package-lock.json',
  'package.json',
  'proxy/Dockerfile',
  'proxy/bin',
  'proxy/package.json',
  'proxy/scripts/bundle-licences.ts',
  'proxy/console',
  'proxy/scripts/build-console.ts',
  'proxy/scripts/compile.ts',
  'proxy/src',
  'sandbox-images',
  'tsconfig.json',
]

export interface ComposeRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The command of this machine: Debian's docker-compose, else the engine's plugin. */
function composeCommand(): readonly string[] | undefined {
  const found = [['/usr/bin/docker-compose'], ['docker-compose'], ['docker', 'compose']] as const
  return found.find(([file = '', ...rest]) => spawnSync(file, [...rest, 'version']).status === 0)
}

export async function composeOrSkip(): Promise<DockerAvailability> {
  const engine = await dockerOrSkip({ images: false })
  if (!engine.available) return engine
  const reason =
    composeCommand() === undefined ? 'no docker-compose on this machine' : ((await baseImagesMissing()) ?? '')
  if (reason === '') return { available: true, reason }
  if (process.env.OAUTH3_REQUIRE_DOCKER === '1') throw new Error(reason)
  console.warn(`skipping docker-compose tests: ${reason}`)
  return { available: false, reason }
}

async function baseImagesMissing(): Promise<string | undefined> {
  if (spawnSync('docker', ['image', 'inspect', ...BASE_IMAGES]).status === 0) return undefined
  try {
    await promisify(execFile)('bash', [join(ROOT, '.ci/base-images.sh')], { timeout: 540_000 })
    return undefined
  } catch (error) {
    return `the base images are not here: ${(error as Error).message.slice(0, 300)}`
  }
}

export class ComposeProject implements AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly #folder: string

  static async create(settings: Record<string, string> = {}): Promise<ComposeProject> {
    return new ComposeProject(await freePort(), settings)
  }

  private constructor(port: number, settings: Record<string, string>) {
    this.name = `oauth3test${process.pid}`
    this.port = port
    this.#folder = mkdtempSync(join(tmpdir(), 'oauth3-compose-'))
    for (const file of FILES) cpSync(join(ROOT, file), join(this.#folder, file), { recursive: true })
    const lines = { DOCKER_GID: String(statSync(SOCKET).gid), PORT: String(port), ...settings }
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(this.#folder, '.env'), text.join(''), { mode: 0o600 })
  }

  /** Runs one command of compose; stands still until it has ended. */
  compose(
    args: readonly string[],
    options: { stdin?: string; timeoutMs?: number } = {},
  ): Promise<ComposeRun> {
    const [file = '', ...before] = composeCommand() ?? []
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(file, [...before, '-p', this.name, ...args], {
      cwd: this.#folder,
      env: { PATH, HOME },
      timeout: options.timeoutMs ?? patience(60_000),
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
    child.stdin.on('error', () => {})
    child.stdin.end(options.stdin ?? '')
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code: code ?? -1, ...output }))
    })
  }

  /** The CLI inside the daemon's container. */
  oauth3(args: readonly string[], stdin?: string): Promise<ComposeRun> {
    return this.compose(['exec', '-T', 'oauth3', 'oauth3', ...args], stdin === undefined ? {} : { stdin })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose(['down', '--volumes', '--timeout', '30'], { timeoutMs: 120_000 })
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
