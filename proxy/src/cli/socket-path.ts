import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'dotenv'
import { adminSocketPath } from '../kernel/index.ts'

/**
 * Where the daemon listens for commands: `--socket`, else OAUTH3_SOCKET, else beside the database that DB_PATH
 * names; each variable from the environment first and from `.env` in the working directory second.
 */
export function findSocket(given: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string {
  if (given !== undefined) return resolve(cwd, given)
  const file = readDotenv(join(cwd, '.env'))
  const setting = (name: string): string | undefined => env[name]?.trim() || file[name]?.trim() || undefined
  const socket = setting('OAUTH3_SOCKET')
  if (socket !== undefined) return resolve(cwd, socket)
  return adminSocketPath(resolve(cwd, setting('DB_PATH') ?? './data/proxy.db'))
}

function readDotenv(path: string): Record<string, string> {
  try {
    return parse(readFileSync(path))
  } catch {
    return {}
  }
}
