import type { Database } from 'better-sqlite3'
import { AppError } from '../../kernel/index.ts'
import { REQUESTS } from './migrations/01-requests.ts'
import { PROVIDERS } from './migrations/02-providers.ts'
import { RETENTION } from './migrations/03-retention.ts'
import { ENDPOINT_GROUPS } from './migrations/04-endpoint-groups.ts'
import { DENIALS } from './migrations/05-denials.ts'
import { RETENTION_ORDER } from './migrations/06-retention-order.ts'
import { AGENT_TOKENS } from './migrations/07-agent-tokens.ts'
import { PRICE_PARTS } from './migrations/08-price-parts.ts'

/**
 * Numbered, forward only, each in one transaction; `user_version` is the number of the newest one applied. A
 * migration that has landed is never edited: a database of any landed version opens in every later one. New ones
 * go into a file of their own, at the end of the list.
 */
export const MIGRATIONS: readonly string[] = [
  ...REQUESTS,
  ...PROVIDERS,
  ...RETENTION,
  ...ENDPOINT_GROUPS,
  ...DENIALS,
  ...RETENTION_ORDER,
  ...AGENT_TOKENS,
  ...PRICE_PARTS,
]

export function migrate(db: Database): void {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > MIGRATIONS.length) {
    throw new AppError(
      'storage_unavailable',
      `The database has schema version ${version}; this daemon knows ${MIGRATIONS.length}. Run a newer daemon.`,
    )
  }
  MIGRATIONS.slice(version).forEach((sql, index) => {
    db.transaction(() => {
      db.exec(sql)
      db.pragma(`user_version = ${version + index + 1}`)
    }).immediate()
  })
}
