export { admit, type FilesQuota, linkWithin } from './admit.ts'
export type { Entry } from './entry.ts'
export { readArchive } from './read-archive.ts'
export { writeArchive } from './write-archive.ts'
