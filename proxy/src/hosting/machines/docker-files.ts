/**
 * Files of a machine, through the archive API of the container engine (https://docs.docker.com/reference/api/engine/, ContainerArchive),
 * which reads and unpacks inside of the container's own root. Symlink attacks: whoever has a shell in the machine may put a link in the
 * place of a folder after that was looked at, and leads there to files of that same container, never to the host's.
 */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { z } from 'zod'
import { AppError } from '../../kernel/index.ts'
import { engineStatus } from '../../sandbox/engine/index.ts'
import { type Entry, readArchive, writeArchive } from '../persistence/archive/index.ts'
import type { FilePath } from './file-path.ts'
import type { FileKind, FolderEntry, MachineFolders } from './machine-driver.ts'

export interface DockerFilesOptions {
  readonly container: Docker.Container
  /** Where the machine finds its home. Only the engine could put a link in the place of it. */
  readonly home: string
  /** User and group of what is written. */
  readonly owner: number
  readonly isThere: (signal: AbortSignal) => Promise<boolean>
  /** Rejects where the engine does not begin to answer in time. */
  readonly ask: <T>(signal: AbortSignal, call: (abortSignal: AbortSignal) => Promise<T>) => Promise<T>
}

interface Found {
  readonly kind: FileKind
  readonly bytes: number | null
}

const MAX_ENTRIES = 1_000
/** An engine lists a folder by an archive of all below it: of contents that are passed over, holes too. */
const MAX_PASSED_BYTES = 256 * 1_048_576
const MAX_LIST_MS = 15_000
/** Between a look and the act. */
const changed = (): AppError => new AppError('conflict', 'It changed in the machine meanwhile; try it again.')
const unwritten = (cause: unknown): AppError =>
  new AppError(
    'conflict',
    'The engine did not write it: it changed in the machine meanwhile, or the disk is full.',
    {
      cause,
    },
  )
const gone = (): AppError => new AppError('not_found', 'There is no such file or folder in the machine.')

export function createDockerFiles({
  container,
  home,
  owner,
  isThere,
  ask,
}: DockerFilesOptions): MachineFolders {
  const placeOf = (names: readonly string[]): string => [home, ...names].join('/')

  /** What stands at the last name of a place; the engine follows what stands before it. */
  async function look(place: string, signal: AbortSignal): Promise<Found | undefined> {
    try {
      const answer: IncomingMessage = await ask(signal, (abortSignal) =>
        container.infoArchive({ path: place, abortSignal }),
      )
      answer.resume()
      return statOf(answer.headers['x-docker-container-path-stat'])
    } catch (error) {
      if (engineStatus(error) === 404) return undefined
      // The engine goes along a link to tell where it leads: without end, or to a name that is longer than any header is read.
      if (engineStatus(error) === 500 || (error as { code?: string }).code === 'HPE_HEADER_OVERFLOW')
        return { kind: 'other', bytes: null }
      throw error
    }
  }

  /** From the home down, as far as there is something; the last of them is what is there. */
  async function walk(path: FilePath, signal: AbortSignal): Promise<readonly Found[]> {
    if (!(await isThere(signal)))
      throw new AppError('sandbox_unavailable', 'The machine is not there any more; try it again.')
    const way: Found[] = []
    for (let depth = 0; depth <= path.length; depth += 1) {
      const found = await look(placeOf(path.slice(0, depth)), signal)
      if (found === undefined) return way
      if (depth < path.length) assertFolder(found)
      way.push(found)
    }
    return way
  }
  async function find(path: FilePath, signal: AbortSignal): Promise<Found | undefined> {
    return (await walk(path, signal))[path.length]
  }

  async function open(path: FilePath, signal: AbortSignal): Promise<Readable> {
    try {
      const answer = await ask(signal, (abortSignal) =>
        container.getArchive({ path: placeOf(path), abortSignal }),
      )
      return answer as Readable
    } catch (error) {
      throw isRefusal(error) ? changed() : error
    }
  }

  return {
    find,
    async list(path, signal) {
      const found = await find(path, signal)
      if (found === undefined) throw gone()
      assertFolder(found)
      return await listed(await open(path, signal))
    },

    async read(path, maxBytes, signal) {
      const found = await find(path, signal)
      if (found === undefined) throw gone()
      assertFile(found)
      const archive = await open(path, signal)
      try {
        const content = await contentOf(archive, maxBytes)
        if (content === undefined) throw changed()
        return content
      } finally {
        archive.destroy()
      }
    },

    async write(path, content, { replace, now }, signal) {
      const way = await walk(path, signal)
      const there = way[path.length]
      if (there !== undefined) assertFile(there)
      if (there !== undefined && !replace)
        throw new AppError('conflict', 'There is a file of that name in the machine already.')
      if (way.length === 0) throw gone()
      const parents = there === undefined ? way.length - 1 : path.length - 1
      const archive = writeArchive(entriesOf(path.slice(parents), content, { owner, now }))
      try {
        await ask(signal, (abortSignal) =>
          container.putArchive(Readable.from(archive, { objectMode: false }), {
            ...{ path: placeOf(path.slice(0, parents)), noOverwriteDirNonDir: '1', abortSignal },
          }),
        )
      } catch (error) {
        throw isRefusal(error) ? unwritten(error) : error
      }
    },
  }
}

/** An engine tells what it found in the place of a folder, and that the disk is full, by the same status. */
const isRefusal = (error: unknown): boolean => engineStatus(error) !== undefined

/** Of Go's `os.FileMode` (https://pkg.go.dev/io/fs#FileMode), as 32 bits: the one of a folder, of a link, and all that say what is no file. */
const FOLDER_BIT = 0x8000_0000
const LINK_BIT = 0x0800_0000
const TYPE_BITS = 0x8f28_0000
const statForm = z.object({ mode: z.int().min(0).max(0xffff_ffff), size: z.int() })

function statOf(header: string | string[] | undefined): Found {
  const text = Buffer.from(String(header ?? ''), 'base64').toString()
  const { mode, size } = statForm.parse(JSON.parse(text))
  const type = (mode & TYPE_BITS) >>> 0
  if (type === 0) return { kind: 'file', bytes: size }
  return { kind: type === FOLDER_BIT ? 'folder' : type === LINK_BIT ? 'link' : 'other', bytes: null }
}

function assertFolder({ kind }: Found): void {
  if (kind === 'folder') return
  throw new AppError(
    'refused',
    kind === 'link' ? 'A link stands there, and links are not followed.' : 'What stands there is no folder.',
  )
}
function assertFile({ kind }: Found): void {
  if (kind === 'file') return
  throw new AppError(
    'refused',
    kind === 'link' ? 'It is a link, and links are not followed.' : 'It is no regular file.',
  )
}

/** The end of what is looked through: a limit was reached. */
class Enough extends Error {}

/** Reads heads alone; contents are passed over as they come, and the engine is told to stop at a limit. */
async function listed(archive: Readable) {
  const entries: FolderEntry[] = []
  const sizes = new Map<string, number>()
  let root: string | undefined
  let isCut = false
  const late = setTimeout(() => archive.destroy(new Enough()), MAX_LIST_MS)
  try {
    for await (const { name, kind, bytes, modifiedAt, target } of readArchive(counted(archive))) {
      root ??= name
      const own = name.slice(root.length + 1)
      if (name === root || own.includes('/')) continue
      if (entries.length === MAX_ENTRIES) throw new Enough()
      const size = kind === 'file' ? bytes : kind === 'hardlink' ? (sizes.get(target) ?? null) : null
      if (kind === 'file') sizes.set(name, bytes)
      entries.push({
        name: Buffer.from(own, 'latin1'),
        kind: KINDS[kind],
        bytes: size,
        modifiedAt: modifiedAt * 1_000,
      })
    }
  } catch (error) {
    // An engine ends an archive early where a file became shorter under its hands, as logs do.
    if (!(error instanceof Enough || error instanceof AppError)) throw error
    isCut = true
  } finally {
    clearTimeout(late)
    archive.destroy()
  }
  return { entries, isCut }
}

const KINDS = {
  file: 'file',
  hardlink: 'file',
  folder: 'folder',
  symlink: 'link',
  fifo: 'other',
} as const satisfies Readonly<Record<Entry['kind'], FileKind>>

async function* counted(archive: Readable): AsyncGenerator<Uint8Array> {
  let passed = 0
  for await (const piece of archive) {
    passed += (piece as Uint8Array).length
    if (passed > MAX_PASSED_BYTES) throw new Enough()
    yield piece as Uint8Array
  }
}

/** Undefined where it is not one whole file of so many bytes at most: it was replaced, grew or shrank. */
async function contentOf(archive: Readable, maxBytes: number): Promise<Uint8Array | undefined> {
  let whole: Buffer | undefined
  try {
    for await (const { kind, bytes, content } of readArchive(archive)) {
      if (kind !== 'file' || bytes > maxBytes || whole !== undefined) return undefined
      whole = Buffer.allocUnsafeSlow(bytes)
      let at = 0
      for await (const piece of content) {
        whole.set(piece, at)
        at += piece.length
      }
    }
  } catch (error) {
    // An engine whose file became shorter ends its archive early.
    if (error instanceof AppError) return undefined
    throw error
  }
  return whole
}

/** Folders that lack, and the file in the last of them. */
async function* entriesOf(
  names: readonly string[],
  content: Uint8Array,
  { owner, now }: { readonly owner: number; readonly now: number },
): AsyncGenerator<Entry> {
  const modifiedAt = Math.floor(now / 1_000)
  for (let depth = 1; depth <= names.length; depth += 1) {
    const name = Buffer.from(names.slice(0, depth).join('/')).toString('latin1')
    const isFile = depth === names.length
    yield {
      ...{
        kind: isFile ? 'file' : 'folder',
        name,
        target: '',
        mode: isFile ? 0o644 : 0o755,
        modifiedAt,
        owner,
      },
      ...{ bytes: isFile ? content.length : 0, content: isFile ? piecesOf(content) : piecesOf(NOTHING) },
    }
  }
}

const NOTHING = new Uint8Array()
const PIECE_BYTES = 262_144
async function* piecesOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES)
}
