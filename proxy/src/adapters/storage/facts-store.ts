import type { Database } from 'better-sqlite3'
import type { CodeFacts, FactsRepository } from '../../domain/facts/index.ts'

/** What was read of stored code, as JSON; facts of an earlier reader are replaced. */
export function createFactsStore(db: Database): FactsRepository {
  const get = db
    .prepare<[string, string, number], string>(
      'SELECT facts FROM code_facts WHERE hash = ? AND language = ? AND version = ?',
    )
    .pluck()
  const put = db.prepare(
    'INSERT OR REPLACE INTO code_facts (hash, language, version, facts) VALUES (?, ?, ?, ?)',
  )
  return {
    get(hash, language, version) {
      const text = get.get(hash, language, version)
      return text === undefined ? undefined : (JSON.parse(text) as CodeFacts)
    },
    put: (hash, language, version, facts) => void put.run(hash, language, version, JSON.stringify(facts)),
  }
}
