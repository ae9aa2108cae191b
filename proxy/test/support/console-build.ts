import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Before browser tests: the page as its sources are now. */
export default function setup(): void {
  buildConsole()
}

/** Into a folder of the caller's, or where the daemon serves it from: nobody may be looking at it then. */
export function buildConsole(...to: readonly string[]): void {
  const script = join(import.meta.dirname, '../../scripts/build-console.ts')
  const { status, stderr } = spawnSync(process.execPath, [script, ...to], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the console does not build: ${stderr}`)
}
