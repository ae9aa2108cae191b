import { existsSync, readdirSync } from 'node:fs'

/** Where the programs of the newest PostgreSQL are, from version 15 on; undefined where there is none. */
export function postgresBinaries(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).map(Number) : []
  const newest = versions.filter((version) => version >= 15).sort((a, b) => b - a)[0]
  return newest === undefined ? undefined : `${root}/${newest}/bin`
}

/** Why there is no PostgreSQL here, for a person; undefined when there is. With OAUTH3_REQUIRE_POSTGRES=1 it throws instead. */
export function withoutPostgres(): string | undefined {
  if (postgresBinaries() !== undefined) return undefined
  const reason = 'no PostgreSQL 15 or newer in /usr/lib/postgresql (Debian: postgresql)'
  if (process.env.OAUTH3_REQUIRE_POSTGRES === '1') throw new Error(reason)
  return reason
}
