/** Files of a hosted agent's workspace, for its owner and for the account's API. Names are the machine's: untrusted text. */
import { z } from 'zod'
import type { ErrorCode } from '../kernel/index.ts'

/** Of a body or an answer, in bytes. */
export const MAX_FILE_BYTES = 25 * 1_048_576

const path = z.string().max(1_024)
const filePath = path.min(1).describe('from the workspace down: `notes/today.md`')

export const folderQuery = z.strictObject({
  /** Left out or empty: the workspace. */
  folder: path.default('').describe('from the workspace down; left out: the workspace'),
})
export const fileQuery = z.strictObject({ path: filePath })
export const putFileQuery = z.strictObject({
  path: filePath,
  /** `1`: a file of that name is replaced. */
  replace: z.enum(['0', '1']).default('0').describe('`1`: a file of that name is replaced'),
})

export const fileList = z.object({
  /** That it is of. */
  folder: z.string(),
  entries: z.array(
    z.object({
      /** To be shown: characters that a screen would not show are written out. */
      name: z.string(),
      /** By which it is asked for; null: its name is none that can be. */
      path: z.string().nullable(),
      /** `link`, `other`: a symlink; a device, a socket or a pipe. Neither is followed or read. */
      kind: z.enum(['file', 'folder', 'link', 'other']),
      /** Of a file; null: not known. */
      bytes: z.int().nullable(),
      /** ISO 8601, in UTC. */
      modified_at: z.string(),
    }),
  ),
  /** There may be more: it has too many, or too much is in them. */
  truncated: z.boolean(),
})
export type FileListView = z.output<typeof fileList>

/** What is there now. */
export const fileStored = z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })
/** The bytes of a file. */
export const fileContent = z.string()

export const FILE_ERRORS = [
  'invalid_request',
  'not_found',
  'conflict',
  'sandbox_unavailable',
  'locked',
] as const satisfies readonly ErrorCode[]
