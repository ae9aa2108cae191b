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
  const setting = settingsOf(env, cwd)
  const socket = setting('OAUTH3_SOCKET')
  if (socket !== undefined) return resolve(cwd, socket)
  return adminSocketPath(resolve(cwd, setting('DB_PATH') ?? './data/proxy.db'))
}

/** Whom commands are about: `--tenant`, else OAUTH3_TENANT, looked up as the socket is; undefined: the daemon's default. */
export const findTenant = (
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  cwd: string,
): string | undefined => given ?? settingsOf(env, cwd)('OAUTH3_TENANT')

function settingsOf(env: NodeJS.ProcessEnv, cwd: string): (name: string) => string | undefined {
  const file = readDotenv(join(cwd, '.env'))
  return (name) => env[name]?.trim() || file[name]?.trim() || undefined
}

function readDotenv(path: string): Record<string, string> {
  try {
    return parse(readFileSync(path))
  } catch {
    return {}
  }
}
