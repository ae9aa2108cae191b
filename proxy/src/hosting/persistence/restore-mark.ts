/**
 * A file at the root of a machine's volume, which is not the machine's own: whether the volume holds its files. It stands before the
 * first start, so a volume without it was never used.
 */
import { AppError } from '../../kernel/index.ts'
import { type Entry, readArchive } from './archive/index.ts'
import type { FilesRef, MachineFiles } from './ports.ts'

export interface Mark {
  /** Of which attempt to save they are; empty: none was kept, it begins with nothing. */
  readonly attempt: string
  /** All of them are there. From then on they are the machine's, and newer than what is kept. */
  readonly isWhole: boolean
}

const NAME = '.files'
const MAX_BYTES = 1_024

export async function readMark(
  files: MachineFiles,
  ref: FilesRef,
  signal: AbortSignal,
): Promise<Mark | undefined> {
  const archive = await files.read(ref, NAME, signal)
  if (archive === undefined) return undefined
  const pieces: Uint8Array[] = []
  for await (const entry of readArchive(archive)) {
    if (entry.kind !== 'file' || entry.bytes > MAX_BYTES)
      throw new AppError('internal', 'The mark on a machine’s volume is none.')
    for await (const piece of entry.content) pieces.push(Buffer.from(piece))
  }
  return JSON.parse(Buffer.concat(pieces).toString()) as Mark
}

export function markEntry(mark: Mark): Entry {
  const text = Buffer.from(JSON.stringify(mark))
  const content = (async function* () {
    yield text
  })()
  return { kind: 'file', name: NAME, target: '', mode: 0o600, modifiedAt: 0, bytes: text.length, content }
}
