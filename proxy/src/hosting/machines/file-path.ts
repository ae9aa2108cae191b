import { AppError } from '../../kernel/index.ts'

declare const CHECKED: unique symbol
/** Names from the home of a machine down to one of its files, each checked against path traversal. */
export type FilePath = readonly string[] & { readonly [CHECKED]: true }

const MAX_PATH_BYTES = 1_024
/** What a Linux kernel takes. */
const MAX_NAME_BYTES = 255

const invalid = (why: string): AppError => new AppError('invalid_request', `The path ${why}.`)

/** Of a folder that is known, and what somebody named in it: `a/b`; empty is the folder itself. Throws `invalid_request`. */
export function filePathIn(folder: string, path: string): FilePath {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw invalid(`has more than ${MAX_PATH_BYTES} bytes`)
  const names = path === '' ? [] : path.split('/')
  for (const name of names) {
    if (name === '' || name === '.' || name === '..')
      throw invalid('goes from the workspace down: without "..", and without "/" at its beginning or end')
    if (Buffer.byteLength(name) > MAX_NAME_BYTES)
      throw invalid(`has a name of more than ${MAX_NAME_BYTES} bytes`)
    if (/\p{Cc}/u.test(name) || !name.isWellFormed()) throw invalid('has a character that no name may have')
  }
  return [folder, ...names] as readonly string[] as FilePath
}
