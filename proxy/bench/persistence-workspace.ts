/** Files of an agent that has worked for some weeks: databases, transcripts, a repository, pictures. The same each time. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { type Seeded, seeded } from '../test/support/seeded.ts'

const WORDS = Array.from({ length: 4_000 }, (_, at) => `w${((at * 2_654_435_761) >>> 0).toString(36)}`)
const words = (random: Seeded, count: number): string =>
  Array.from({ length: count }, () => random.pick(WORDS)).join(' ')
const noise = (random: Seeded, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) buffer.writeUInt32LE(random.below(2 ** 32), at)
  return buffer
}

/** Some 200 MB at a scale of 1. */
export function makeWorkspace(home: string, scale: number): void {
  const random = seeded(1)
  for (const name of ['state', 'sessions', 'media']) mkdirSync(join(home, name), { recursive: true })
  fillDatabase(join(home, 'state/openclaw.sqlite'), random, 40_000 * scale)
  fillDatabase(join(home, 'state/memory.sqlite'), random, 20_000 * scale)
  for (let at = 0; at < 10; at += 1)
    appendTranscript(join(home, `sessions/${at}.jsonl`), random, 4_000 * scale)
  for (let at = 0; at < 4_000 * scale; at += 1) {
    const folder = join(home, `workspace/src/${at % 97}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file-${at}.ts`), words(random, 500 + random.below(2_000)))
  }
  for (let at = 0; at < 10 * scale; at += 1)
    writeFileSync(join(home, `media/${at}.png`), noise(random, 5_000_000))
}

/** Some 1 % of it: new rows and changed ones, longer transcripts, edited and new files. */
export function changeWorkspace(home: string, scale: number): void {
  const random = seeded(2)
  const db = new SqliteDatabase(join(home, 'state/openclaw.sqlite'))
  const insert = db.prepare('INSERT INTO messages (session, text) VALUES (?, ?)')
  const update = db.prepare('UPDATE messages SET text = ? WHERE id = ?')
  db.transaction(() => {
    for (let at = 0; at < 400 * scale; at += 1) insert.run(random.below(100), words(random, 180))
    for (let at = 0; at < 40 * scale; at += 1)
      update.run(words(random, 180), 1 + random.below(40_000 * scale))
  })()
  db.close()
  for (const at of [2, 5, 7]) appendTranscript(join(home, `sessions/${at}.jsonl`), random, 150 * scale)
  for (let at = 0; at < 40 * scale; at += 1) {
    const of = random.below(4_000 * scale)
    appendFileSync(join(home, `workspace/src/${of % 97}/file-${of}.ts`), words(random, 40))
  }
  writeFileSync(join(home, 'media/new.png'), noise(random, 500_000 * scale))
}

function fillDatabase(path: string, random: Seeded, rows: number): void {
  const db = new SqliteDatabase(path)
  db.exec(
    'CREATE TABLE messages (id INTEGER PRIMARY KEY, session INTEGER, text TEXT); CREATE INDEX s ON messages (session)',
  )
  const insert = db.prepare('INSERT INTO messages (session, text) VALUES (?, ?)')
  db.transaction(() => {
    for (let at = 0; at < rows; at += 1) insert.run(random.below(100), words(random, 180))
  })()
  db.close()
}

function appendTranscript(path: string, random: Seeded, lines: number): void {
  const all = Array.from({ length: lines }, (_, id) =>
    JSON.stringify({ id, role: 'assistant', text: words(random, 150) }),
  )
  appendFileSync(path, `${all.join('\n')}\n`)
}
