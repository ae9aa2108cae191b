/** OpenStack Swift of Debian (package python3-swift), whose S3 API is strict and is not ours. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PYTHON = '/usr/bin/python3'
const SERVER = fileURLToPath(new URL('swift-server.py', import.meta.url))

/** Why there is none here; undefined where there is. */
export function withoutSwift(): string | undefined {
  const found = spawnSync(PYTHON, ['-c', 'import swift.common.middleware.s3api']).status === 0
  if (!found && process.env.OAUTH3_REQUIRE_SWIFT === '1') throw new Error('no OpenStack Swift')
  return found ? undefined : 'no OpenStack Swift'
}

export interface Swift extends AsyncDisposable {
  /** An origin. */
  readonly endpoint: string
}

export async function startSwift(keyId: string, secret: string): Promise<Swift> {
  const folder = mkdtempSync(join(tmpdir(), 'swift-'))
  const child = spawn(PYTHON, [SERVER, folder, keyId], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  child.stdin.end(`${secret}\n`)
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('Swift ended'))),
  ])) as [Buffer]
  return {
    endpoint: `http://127.0.0.1:${Number(line.toString())}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
