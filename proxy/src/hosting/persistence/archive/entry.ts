/**
 * What an archive says of one file. Names are bytes that need be no text: in strings each character is one byte (latin1), and their
 * folders are set apart by slashes, without one at the end.
 */
export interface EntryHead {
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'fifo'
  readonly name: string
  /** Where a link leads: of a symlink as it stands there, of a hard link the name of an entry before it. Else empty. */
  readonly target: string
  /** Permissions, with setuid, setgid and sticky. */
  readonly mode: number
  /** Seconds since 1970. */
  readonly modifiedAt: number
  /** Of a file's content; else 0. */
  readonly bytes: number
  /** User and group; root where it is left out. Of what is read it is not told. */
  readonly owner?: number
}

/** The content is to be read to its end before the next entry is asked for. */
export interface Entry extends EntryHead {
  readonly content: AsyncIterable<Uint8Array>
}

export const BLOCK_BYTES = 512
export const padding = (bytes: number): number => (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES
/** What POSIX.1-2001 calls each kind. */
export const TYPES = { file: '0', hardlink: '1', symlink: '2', folder: '5', fifo: '6' } as const
