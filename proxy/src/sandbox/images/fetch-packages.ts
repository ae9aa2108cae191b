/** Packages that an image needs and the daemon does not: fetched by npm when the image is built, as the lock file of its folder says. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ImageSource, runtimeFile } from '../runtimes/index.ts'

const CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/oauth3-images/', import.meta.url))
const LOCK_FILES = ['package.json', 'package-lock.json'] as const
const FETCH_TIMEOUT_MS = 15 * 60_000
/** npm's name of a processor, by the engine's. */
const CPUS: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' }

/**
 * Resolves to the folder that has `node_modules` with them. npm checks every package against the hash in the lock file. What
 * was fetched is kept until the lock file changes.
 */
export async function fetchPackages(
  source: ImageSource,
  arch: string,
  log: (line: string) => void,
): Promise<string> {
  const lock = readFileSync(runtimeFile(source, 'package-lock.json'))
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 16)
  const folder = join(CACHE, `${source.name}-${arch}-${digest}`)
  if (existsSync(folder)) return folder
  log(`fetching the packages of ${source.name}`)
  const fresh = `${folder}.${randomBytes(4).toString('hex')}`
  mkdirSync(fresh, { recursive: true })
  try {
    for (const name of LOCK_FILES) copyFileSync(runtimeFile(source, name), join(fresh, name))
    await install(fresh, arch)
    // Under its name only when it is whole; another build may have been quicker.
    if (!existsSync(folder)) renameSync(fresh, folder)
    return folder
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new Error(`Its packages cannot be fetched: ${(stderr || message).trim().slice(-500)}`, {
      cause: error,
    })
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

const install = (cwd: string, arch: string) =>
  promisify(execFile)(
    'npm',
    [
      'ci',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--os=linux',
      `--cpu=${CPUS[arch] ?? arch}`,
      '--libc=glibc',
    ],
    { cwd, timeout: FETCH_TIMEOUT_MS },
  )
