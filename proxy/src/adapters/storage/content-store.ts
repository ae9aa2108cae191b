import type { Database } from 'better-sqlite3'
import type { ContentRepository, Held } from '../../domain/retention/index.ts'
import type { AgentId, CodeHash } from '../../kernel/index.ts'

interface Row {
  code_hash: CodeHash
  agent_id: AgentId
  imports_lock: string
  bytes: number
}

const OPEN = `('pending', 'awaiting_secrets', 'approved', 'running')`
const DAY_MS = 24 * 60 * 60 * 1_000
/** Files of one lock that are deleted at once, at most about this many bytes. */
const FILES_AT_ONCE = 50
const BYTES_AT_ONCE = 1_048_576

/**
 * Who keeps which code and imports. The sum of each agent and the queue of what nobody keeps are kept by triggers of the
 * tables themselves, so no writer can forget them.
 */
export function createContentStore(db: Database): ContentRepository {
  const isHeld = db
    .prepare<[string, string, string], number>(
      'SELECT 1 FROM content_holders WHERE code_hash = ? AND agent_id = ? AND imports_lock = ?',
    )
    .pluck()
  const hold = db.prepare(
    'INSERT INTO content_holders (code_hash, agent_id, imports_lock, bytes) VALUES (?, ?, ?, ?)',
  )
  const of = db.prepare<[string, string], Row>(
    'SELECT code_hash, agent_id, imports_lock, bytes FROM content_holders WHERE code_hash = ? AND agent_id = ?',
  )
  const after = db.prepare<[string, string, string, number], Row>(
    `SELECT code_hash, agent_id, imports_lock, bytes FROM content_holders
     WHERE (code_hash, agent_id, imports_lock) > (?, ?, ?) ORDER BY code_hash, agent_id, imports_lock LIMIT ?`,
  )
  const remove = db.prepare(
    'DELETE FROM content_holders WHERE code_hash = ? AND agent_id = ? AND imports_lock = ?',
  )
  const lockOf = (table: string): string =>
    `CASE WHEN json_valid(${table}.consent) THEN json_extract(${table}.consent, '$.imports.lock') END`
  const needsCode = db
    .prepare<[{ code: string; agent: string; since: number }], number>(
      `SELECT EXISTS (SELECT 1 FROM executions WHERE agent_id = @agent AND status IN ${OPEN} AND code_hash = @code)
       OR EXISTS (SELECT 1 FROM approvals WHERE code_hash = @code AND ended_at IS NULL)
       OR EXISTS (SELECT 1 FROM content_holders WHERE code_hash = @code AND agent_id = @agent AND imports_lock = ''
         AND ran_at > @since)`,
    )
    .pluck()
  const needsLock = db
    .prepare<[{ code: string; agent: string; lock: string }], number>(
      `SELECT EXISTS (SELECT 1 FROM executions AS e WHERE agent_id = @agent AND status IN ${OPEN}
         AND code_hash = @code AND ${lockOf('e')} = @lock)
       OR EXISTS (SELECT 1 FROM approvals AS a WHERE code_hash = @code AND ended_at IS NULL AND ${lockOf('a')} = @lock)`,
    )
    .pluck()
  const bytesOf = db.prepare<[string], number>('SELECT bytes FROM agent_storage WHERE agent_id = ?').pluck()
  const nextBeyond = db
    .prepare<[number, string], AgentId>(
      'SELECT agent_id FROM agent_storage WHERE bytes > ? AND agent_id > ? ORDER BY agent_id LIMIT 1',
    )
    .pluck()

  const ran = db.prepare<[{ code: string; agent: string; at: number }]>(
    `UPDATE content_holders SET ran_at = @at WHERE code_hash = @code AND agent_id = @agent AND imports_lock = ''
     AND ran_at < @at - ${DAY_MS}`,
  )

  const isNeeded = (row: Row, since: number): boolean => {
    const { code_hash: code, agent_id: agent, imports_lock: lock } = row
    return (lock === '' ? needsCode.get({ code, agent, since }) : needsLock.get({ code, agent, lock })) === 1
  }
  const releaseRow = (row: Row, since: number): void => {
    if (!isNeeded(row, since)) remove.run(row.code_hash, row.agent_id, row.imports_lock)
  }
  const page = (from: Held | undefined, limit: number): { rows: Row[]; next: Held | undefined } => {
    const rows = after.all(from?.codeHash ?? '', from?.agentId ?? '', from?.importsLock ?? '', limit)
    const last = rows.at(-1)
    return { rows, next: rows.length < limit || !last ? undefined : heldOf(last) }
  }

  const deleter = createDeleter(db)
  return {
    isHeld: (held) => isHeld.get(held.codeHash, held.agentId, held.importsLock ?? '') !== undefined,
    hold: (held, bytes) => void hold.run(held.codeHash, held.agentId, held.importsLock ?? '', bytes),
    release(agentId, codeHash, since) {
      for (const row of of.all(codeHash, agentId)) releaseRow(row, since)
    },
    releaseNext(from, limit, since) {
      const { rows, next } = page(from, limit)
      for (const row of rows) releaseRow(row, since)
      return next
    },
    countNext(from, limit, since) {
      const { rows, next } = page(from, limit)
      const over = rows.filter((row) => !isNeeded(row, since))
      return {
        next,
        code: over.filter((row) => row.imports_lock === '').length,
        bytes: over.reduce((sum, { bytes }) => sum + bytes, 0),
      }
    },
    ran: (agent, code, at) => void ran.run({ agent, code, at }),
    deleteReleased: () => deleter(),
    bytesOf: (agentId) => bytesOf.get(agentId) ?? 0,
    nextBeyond: (bytes, after) => nextBeyond.get(bytes, after ?? ''),
  }
}

const heldOf = (row: Row): Held => ({
  codeHash: row.code_hash,
  agentId: row.agent_id,
  importsLock: row.imports_lock === '' ? null : row.imports_lock,
})

/** What came to be held again since it was queued stays. */
function createDeleter(db: Database): ContentRepository['deleteReleased'] {
  const next = db.prepare<[], { code_hash: CodeHash; imports_lock: string }>(
    'SELECT code_hash, imports_lock FROM released_content LIMIT 1',
  )
  const done = db.prepare('DELETE FROM released_content WHERE code_hash = ? AND imports_lock = ?')
  const holdsCode = db.prepare(
    "SELECT 1 FROM content_holders WHERE code_hash = ? AND imports_lock = '' LIMIT 1",
  )
  const holdsLock = db.prepare(
    "SELECT 1 FROM content_holders WHERE imports_lock = ? AND imports_lock <> '' LIMIT 1",
  )
  const deleteCode = db.prepare('DELETE FROM code WHERE hash = ?')
  const deleteFacts = db.prepare('DELETE FROM code_facts WHERE hash = ?')
  const files = db.prepare<[string, number], { sha256: string; bytes: number }>(
    `SELECT import_lock_files.sha256 AS sha256, ifnull(octet_length(bytes), 0) AS bytes FROM import_lock_files
     LEFT JOIN import_files USING (sha256) WHERE lock = ? LIMIT ?`,
  )
  const deleteUse = db.prepare('DELETE FROM import_lock_files WHERE lock = ? AND sha256 = ?')
  const deleteFile = db.prepare(
    `DELETE FROM import_files WHERE sha256 = ?
     AND NOT EXISTS (SELECT 1 FROM import_lock_files WHERE import_lock_files.sha256 = import_files.sha256)`,
  )
  const deleteLock = db.prepare('DELETE FROM import_locks WHERE hash = ?')

  return () => {
    const released = next.get()
    if (released === undefined) return undefined
    const { code_hash: hash, imports_lock: lock } = released
    if (lock === '') {
      const isFree = holdsCode.get(hash) === undefined
      if (isFree) {
        deleteCode.run(hash)
        deleteFacts.run(hash)
      }
      done.run(hash, lock)
      return { codeHash: isFree ? hash : null }
    }
    if (holdsLock.get(lock) !== undefined) {
      done.run(hash, lock)
      return { codeHash: null }
    }
    // The lock goes first: what is left of its files is never taken for all of them.
    deleteLock.run(lock)
    let bytes = 0
    const some = files.all(lock, FILES_AT_ONCE)
    for (const file of some) {
      if (bytes >= BYTES_AT_ONCE) return { codeHash: null }
      deleteUse.run(lock, file.sha256)
      deleteFile.run(file.sha256)
      bytes += file.bytes
    }
    if (some.length < FILES_AT_ONCE) done.run(hash, lock)
    return { codeHash: null }
  }
}
