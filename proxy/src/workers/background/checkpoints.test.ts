import { setTimeout as delay } from 'node:timers/promises'
import SqliteDatabase from 'better-sqlite3'
import { expect, test } from 'vitest'
import { engineKits } from '../../../test/support/engines.ts'
import { createMetaStore } from '../../storage/index.ts'
import { createBackground, startCheckpoints } from './index.ts'

test('what was written is copied into the database by a process, while the connection goes on writing', async () => {
  await using database = await engineKits.sqlite.fresh({ stores: { meta: createMetaStore } })
  const { storage, opened, where: path } = database
  await using background = createBackground()
  const defects: unknown[] = []
  const log = {
    path,
    pagesInLog: () => opened.pagesInLog(),
    makeLogRoom: (bytes: number) => opened.makeLogRoom(bytes),
  }
  using _checkpoints = startCheckpoints(log, background, (error) => defects.push(error))
  const look = new SqliteDatabase(path)
  const waiting = (): number => {
    const [log] = look.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
    return (log?.log ?? 0) - (log?.checkpointed ?? 0)
  }
  const write = (key: string, value: string): Promise<void> =>
    storage.transaction((tx) => tx.meta.set(key, value))
  for (let at = 0; at < 10; at += 1) await write(`large-${at}`, 'x'.repeat(1_048_576))
  // The connection alone leaves as much as that in the log.
  expect(waiting()).toBeGreaterThan(2_500)
  let commits = 0
  while (waiting() > 1_000 && defects.length === 0) {
    await write(`small-${commits}`, 'x')
    commits += 1
    await delay(5)
  }
  expect(defects).toEqual([])
  expect(commits).toBeGreaterThan(0)
  expect(look.pragma('integrity_check', { simple: true })).toBe('ok')
  look.close()
})
