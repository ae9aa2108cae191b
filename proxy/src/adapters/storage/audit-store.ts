import type { Database } from 'better-sqlite3'
import type { AuditArchive, AuditRepository, AuditSeal, StoredAuditRow } from '../../domain/audit/index.ts'
import type { MetaStore } from './small-stores.ts'

export function createAuditStore(db: Database, meta: MetaStore): AuditRepository {
  const columns = 'id, at, event, actor, request_id AS requestId, data, prev_hash AS prevHash, hash'
  const rows = db.prepare<[number, number], StoredAuditRow>(
    `SELECT ${columns} FROM audit_log WHERE id > ? ORDER BY id LIMIT ?`,
  )
  const newest = db.prepare<[number], StoredAuditRow>(
    `SELECT ${columns} FROM audit_log ORDER BY id DESC LIMIT ?`,
  )
  const before = db.prepare<[number, number], StoredAuditRow>(
    `SELECT ${columns} FROM audit_log WHERE id < ? ORDER BY id DESC LIMIT ?`,
  )
  const insert = db.prepare(`INSERT INTO audit_log (id, at, event, actor, request_id, data, prev_hash, hash)
    VALUES (@id, @at, @event, @actor, @requestId, @data, @prevHash, @hash)`)
  const archives = db.prepare<[], AuditArchive>(
    `SELECT name, first_id AS first, last_id AS last, previous, head, digest, bytes, archived_at AS archivedAt
     FROM audit_archives ORDER BY first_id`,
  )
  const addArchive =
    db.prepare(`INSERT INTO audit_archives (first_id, last_id, name, previous, head, digest, bytes, archived_at)
    VALUES (@first, @last, @name, @previous, @head, @digest, @bytes, @archivedAt)`)
  const remove = db.prepare('DELETE FROM audit_log WHERE id <= ? ORDER BY id LIMIT ?')
  return {
    rows: (afterId, limit) => rows.all(afterId, limit),
    newest: (limit) => newest.all(limit),
    before: (id, limit) => before.all(id, limit),
    insert: (row) => void insert.run(row),
    seal() {
      const text = meta.get('audit_seal')
      return text === undefined ? undefined : readSeal(text)
    },
    writeSeal: (seal) => meta.set('audit_seal', JSON.stringify(seal)),
    anchor() {
      const text = meta.get('audit_anchor')
      if (text === undefined) return undefined
      const { digest } = parsed(text)
      return { ...readSeal(text), digest: typeof digest === 'string' ? digest : '' }
    },
    writeAnchor: (anchor) => meta.set('audit_anchor', JSON.stringify(anchor)),
    archives: () => archives.all(),
    addArchive: (archive) => void addArchive.run(archive),
    deleteUpTo: (id, limit) => remove.run(id, limit).changes,
  }
}

/** A text that is no seal counts as one that nobody made: the audit says that it was not made with its key. */
function readSeal(text: string): AuditSeal {
  const { id, hash, mac } = parsed(text)
  const isSeal = Number.isSafeInteger(id) && typeof hash === 'string' && typeof mac === 'string'
  return isSeal ? { id: Number(id), hash, mac } : { id: 0, hash: '', mac: '' }
}

function parsed(text: string): Partial<Record<'id' | 'hash' | 'mac' | 'digest', unknown>> {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}
