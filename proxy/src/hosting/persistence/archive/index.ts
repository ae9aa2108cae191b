export { type Admitted, admit, type FilesQuota, linkWithin } from './admit.ts'
export type { Entry, EntryHead } from './entry.ts'
export { readArchive } from './read-archive.ts'
export { entryHeader, writeArchive } from './write-archive.ts'
