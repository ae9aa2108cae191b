/** Archives the audit of a folder and kills itself at the step that it is told: `node archive-child.ts <folder> <step>`. */
import { join } from 'node:path'
import {
  createAuditArchiveFiles,
  createAuditStore,
  createMetaStore,
  createTransactor,
  openDatabase,
} from '../../src/adapters/storage/index.ts'
import { createAuditArchiver, createAuditLog } from '../../src/domain/audit/index.ts'

const [folder = '', step = '0'] = process.argv.slice(2)
const auditKey = new Uint8Array(32).fill(9)
const clock = { now: () => 1_700_000_000_000 }
let left = Number(step)

/** Each call of any function is a step; the process ends in the middle of it, as with a power cut. */
function dying<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, name) {
      const value = Reflect.get(object, name) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const result = Reflect.apply(value, object, args) as unknown
        left -= 1
        if (left === 0) process.kill(process.pid, 'SIGKILL')
        return result
      }
    },
  })
}

const db = openDatabase(join(folder, 'proxy.db'))
const repository = createAuditStore(db, createMetaStore(db))
const files = createAuditArchiveFiles(join(folder, 'audit-archive'))
const audit = createAuditLog({ repository, clock, auditKey, mayBegin: false })
const archiver = createAuditArchiver({
  repository: dying(repository),
  files: dying({
    ...files,
    async write(name: string, text: AsyncIterable<string>) {
      await files.write(name, text)
      tick()
    },
  }),
  audit,
  transactor: createTransactor(db),
  clock,
  auditKey,
  rowsAFile: 300,
})

/** Between the file's being whole and the rows' going. */
function tick(): void {
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}

await archiver.archive(800, 'cli:0', 60_000)
process.stdout.write('done')
