/** Archives the audit of a folder and kills itself at the step that it is told: `node archive-child.ts <folder> <step>`. */
import { join } from 'node:path'
import { createAuditArchiver, createAuditLog } from '../../src/audit/index.ts'
import { STORES } from '../../src/compose/compose-stores.ts'
import { DEFAULT_TENANT } from '../../src/kernel/index.ts'
import { createAuditArchiveFiles } from '../../src/storage/files/index.ts'
import { openStorage } from '../../src/storage/index.ts'

const [folder = '', step = '0'] = process.argv.slice(2)
const auditKey = new Uint8Array(32).fill(9)
const clock = { now: () => 1_700_000_000_000 }
let left = Number(step)
let isArchiving = false

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

const database = await openStorage({
  database: { path: join(folder, 'proxy.db') },
  stores: {
    ...STORES,
    audit: (queries, tenant) =>
      isArchiving ? dying(STORES.audit(queries, tenant)) : STORES.audit(queries, tenant),
  },
  onDefect: () => {},
})
const storage = database.forTenant(DEFAULT_TENANT)
const files = createAuditArchiveFiles(join(folder, 'audit-archive'))
const audit = createAuditLog({ storage, clock, auditKey, mayBegin: false })
const archiver = createAuditArchiver({
  files: dying({
    ...files,
    async write(name: string, text: AsyncIterable<string>) {
      await files.write(name, text)
      tick()
    },
  }),
  audit,
  storage,
  clock,
  auditKey,
  rowsAFile: 300,
})

/** Between the file's being whole and the rows' going. */
function tick(): void {
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}

isArchiving = true
await archiver.archive(800, 'cli:0', 60_000)
process.stdout.write('done')
