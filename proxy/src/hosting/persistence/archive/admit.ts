/**
 * Against path traversal and symlink attacks: which entries of a machine's files are taken into a snapshot, and out of one again. A
 * machine is hostile, and so is whoever could alter what is stored; nothing is written but below the folder that is the machine's own.
 */
import { posix } from 'node:path'
import { AppError, formatBytes } from '../../../kernel/index.ts'
import type { Entry, EntryHead } from './entry.ts'

export interface FilesQuota {
  /** Of all contents together; a hole in a file counts as what it reads as. */
  readonly bytes: number
  readonly files: number
}

export interface Admitted {
  readonly entries: AsyncIterable<Entry>
  readonly counted: { bytes: number; files: number }
}

/** What a Linux kernel takes. */
const MAX_PATH_BYTES = 4_095
const MAX_NAME_BYTES = 255

/** Against exhaustion of memory: of all names together, which are held while they pass. */
const MAX_NAMES_BYTES = 64 * 1_048_576

const refused = (why: string): AppError => new AppError('internal', `A machine's files are refused: ${why}.`)

/**
 * Passes on the entries of an archive whose first one is the folder `root`. Throws `too_large` beyond the quota, and `internal` for an
 * entry that stands anywhere but in a folder that came before it, twice, or leads there as a hard link.
 */
export function admit(entries: AsyncIterable<Entry>, root: string, quota: FilesQuota): Admitted {
  const counted = { bytes: 0, files: 0 }
  /** Folders, and (false) all else. */
  const seen = new Map<string, boolean>()
  let namesBytes = 0
  const check = (entry: EntryHead): void => {
    const { name, kind, target } = entry
    const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')))
    if (name !== root && seen.get(parent) !== true) throw refused('one stands in no folder of its own')
    if (seen.size === 0 && kind !== 'folder') throw refused('its own folder is none')
    if (seen.has(name)) throw refused('one comes twice')
    if (!isPath(name)) throw refused('a name is none')
    if (kind === 'hardlink' && seen.get(target) !== false) throw refused('a link leads to no file before it')
    if (kind === 'symlink' && (target === '' || target.length > MAX_PATH_BYTES || target.includes('\0')))
      throw refused('a link leads nowhere')
    seen.set(name, kind === 'folder')
    namesBytes += name.length
    if (namesBytes > MAX_NAMES_BYTES)
      throw new AppError('too_large', "The machine's files have too long names.")
    counted.files += 1
    counted.bytes += entry.bytes
    if (counted.files > quota.files)
      throw new AppError('too_large', `The machine has more than ${quota.files} files.`)
    if (counted.bytes > quota.bytes)
      throw new AppError('too_large', `The machine's files are larger than ${formatBytes(quota.bytes)}.`)
  }
  const passed = async function* (): AsyncGenerator<Entry> {
    for await (const entry of entries) {
      check(entry)
      yield entry
    }
    if (seen.size === 0) throw refused('there are none')
  }
  return { entries: passed(), counted }
}

/** Relative, and each of its parts a name. The bytes 0 and `/` cannot be in one. */
function isPath(name: string): boolean {
  if (name.length === 0 || name.length > MAX_PATH_BYTES || name.includes('\0')) return false
  return name
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= MAX_NAME_BYTES)
}

/**
 * A symlink that leads out of the folder that an engine unpacks into is refused by it, with all that follows. Such a one says where it
 * leads from the file system's root instead, which is the same place: the folders that it stands in are real ones.
 */
export function linkWithin(entry: Entry, base: string): Entry {
  if (entry.kind !== 'symlink' || entry.target.startsWith('/')) return entry
  const led = posix.join(base, posix.dirname(entry.name), entry.target)
  return led === base || led.startsWith(`${base}/`) ? entry : { ...entry, target: led }
}
