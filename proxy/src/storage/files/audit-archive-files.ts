import { createReadStream } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditArchiveFiles } from '../../audit/index.ts'
import { makeFolder } from '../index.ts'

const NAME = /^audit-(\d{12,16})-\d{12,16}\.jsonl$/
const UNFINISHED = '.tmp'
/** Whether a file of this name is one of these, or the beginning of one. */
export const isArchiveFile = (name: string): boolean =>
  NAME.test(name.endsWith(UNFINISHED) ? name.slice(0, -UNFINISHED.length) : name)

/** No row of the audit is near it; a file of one endless line is not read into memory. */
const MAX_LINE = 4 * 1_048_576

/** Sealed files of the audit in one folder, the owner's alone. */
export function createAuditArchiveFiles(folder: string): AuditArchiveFiles {
  const pathOf = (name: string): string => {
    if (!NAME.test(name)) throw Object.assign(new Error(`no name of an archive: ${name}`), { code: 'ENOENT' })
    return join(folder, name)
  }
  const list = async (): Promise<readonly string[]> => {
    try {
      return await readdir(folder)
    } catch {
      return []
    }
  }

  return {
    async write(name, text) {
      const path = pathOf(name)
      const unfinished = `${path}${UNFINISHED}`
      makeFolder(folder)
      try {
        const file = await open(unfinished, 'w', 0o600)
        try {
          for await (const part of text) await file.appendFile(part)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(unfinished, path)
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => {})
        throw error
      }
      // The name is on disk before any row goes.
      const directory = await open(folder)
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    },

    async *lines(name) {
      let rest = ''
      for await (const chunk of createReadStream(pathOf(name), { encoding: 'utf8' })) {
        const parts = (rest + String(chunk)).split('\n')
        rest = parts.pop() ?? ''
        if (rest.length > MAX_LINE) throw Object.assign(new Error('a line is too long'), { code: 'EFBIG' })
        yield* parts
      }
      // What no line feed ends was cut off in the middle.
      if (rest !== '') throw Object.assign(new Error('the last line has no end'), { code: 'a cut last line' })
    },

    async removeFrom(first, listed) {
      for (const name of await list()) {
        const isUnfinished = name.endsWith(UNFINISHED) && NAME.test(name.slice(0, -UNFINISHED.length))
        const isLeft = Number(NAME.exec(name)?.[1]) === first && !listed.has(name)
        if (isUnfinished || isLeft) await rm(join(folder, name), { force: true })
      }
    },
  }
}
