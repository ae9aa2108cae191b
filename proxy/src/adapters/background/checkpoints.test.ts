import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { openDatabase } from '../storage/index.ts'
import { createBackground, startCheckpoints } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'oauth3-checkpoints-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('what was written is copied into the database by a thread, while the connection goes on writing', async () => {
  const db = openDatabase(join(folder, 'proxy.db'))
  await using background = createBackground()
  const defects: unknown[] = []
  using _checkpoints = startCheckpoints(db, background, (error) => defects.push(error))
  const waiting = (): number => {
    const [log] = db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
    return (log?.log ?? 0) - (log?.checkpointed ?? 0)
  }
  const write = db.prepare('INSERT INTO code (hash, text, created_at) VALUES (?, ?, 0)')
  for (let at = 0; at < 10; at += 1) write.run(`large-${at}`, 'x'.repeat(1_048_576))
  // The connection alone leaves as much as that in the log.
  expect(waiting()).toBeGreaterThan(2_500)
  let commits = 0
  while (waiting() > 1_000 && defects.length === 0) {
    write.run(`small-${commits}`, 'x')
    commits += 1
    await delay(5)
  }
  expect(defects).toEqual([])
  expect(commits).toBeGreaterThan(0)
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  db.close()
})
