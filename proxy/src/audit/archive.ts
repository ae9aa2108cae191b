import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError, canonicalJson, equalInConstantTime, type Storage, type UnixMs } from '../kernel/index.ts'
import type { AuditArchive, AuditArchiveFiles, StoredAuditRow } from './ports.ts'
import { auditRowHash } from './proof/index.ts'

/**
 * A sealed file of the oldest rows: JSON Lines, one row a line as the table holds it, and a last line that says what
 * the file holds, with a MAC of the audit key over it. The file is whole and on disk before any row is deleted.
 */
const FORMAT = 'oauth3 audit archive v1'
/** Rows that are read, hashed and written before others have their turn. */
const ROWS_A_TURN = 100

interface SealLine {
  readonly format: typeof FORMAT
  readonly first: number
  readonly last: number
  /** The hash of the row before the first. */
  readonly previous: string
  /** The hash of the last row. */
  readonly head: string
  /** SHA-256 of every byte before this line. */
  readonly digest: string
  readonly mac: string
}

const archiveName = (first: number, last: number): string =>
  `audit-${String(first).padStart(12, '0')}-${String(last).padStart(12, '0')}.jsonl`

/**
 * Writes rows `first` to `last` and reads the file back. Throws `conflict` when the rows do not continue `previous`, or the
 * row behind them does not continue them: what is broken is not sealed as if it were whole.
 */
export async function writeArchive(
  deps: {
    readonly storage: Pick<Storage, 'read'>
    readonly files: AuditArchiveFiles
    readonly key: KeyObject
  },
  range: { readonly first: number; readonly last: number; readonly previous: string; readonly at: UnixMs },
): Promise<AuditArchive> {
  const { storage, files, key } = deps
  const { first, last, previous } = range
  const name = archiveName(first, last)
  const digest = createHash('sha256')
  let head = { id: first - 1, hash: previous }
  let bytes = 0

  async function* lines(): AsyncGenerator<string> {
    while (head.id < last) {
      const { id } = head
      const page = await storage.read((tx) => tx.audit.rows(id, Math.min(ROWS_A_TURN, last - id)))
      if (page.length === 0) throw broken(head.id + 1, 'it is missing')
      for (const row of page) {
        const problem = rowProblem(row, head)
        if (problem) throw broken(row.id, problem)
        head = { id: row.id, hash: row.hash }
      }
      const text = page.map((row) => `${canonicalJson({ ...row })}\n`).join('')
      digest.update(text)
      yield text
    }
    // A check that went on from a checkpoint has not read these rows: the last of them may have been changed together with its hash.
    const [next] = await storage.read((tx) => tx.audit.rows(last, 1))
    const problem = next === undefined ? 'it is missing' : rowProblem(next, head)
    if (problem) throw broken(last + 1, problem)
    const sealed = {
      format: FORMAT,
      first,
      last,
      previous,
      head: head.hash,
      digest: digest.digest('hex'),
    } as const
    yield `${canonicalJson({ ...sealed, mac: macOf(key, sealed) })}\n`
  }

  await files.write(
    name,
    (async function* () {
      for await (const text of lines()) {
        bytes += Buffer.byteLength(text)
        yield text
      }
    })(),
  )
  const archive = { name, first, last, previous, head: head.hash, bytes, archivedAt: range.at }
  const read = await readArchive({ files, key }, name)
  const digestOf = read.ok ? read.seal.digest : ''
  const whole: AuditArchive = { ...archive, digest: digestOf }
  const problem = read.ok ? sealDiffers(read.seal, whole) : read.reason
  if (problem !== undefined)
    throw new AppError('internal', `The archive ${name} cannot be read back: ${problem}.`)
  return whole
}

type ReadArchive =
  | { readonly ok: true; readonly seal: SealLine }
  | { readonly ok: false; readonly reason: string }

/** Reads a file whole: every row continues the one before it, and the last line seals them all. */
async function readArchive(
  deps: { readonly files: AuditArchiveFiles; readonly key: KeyObject },
  name: string,
  onRow: (row: StoredAuditRow) => void = () => {},
): Promise<ReadArchive> {
  const fail = (reason: string): ReadArchive => ({ ok: false, reason })
  const digest = createHash('sha256')
  let before: { id: number; hash: string } | undefined
  let start: { id: number; previous: string } | undefined
  let held: string | undefined
  let count = 0
  try {
    for await (const line of deps.files.lines(name)) {
      if (held !== undefined) {
        const row = parseRow(held)
        if (row === undefined) return fail(`line ${count} is no row`)
        before ??= { id: row.id - 1, hash: row.prevHash }
        start ??= { id: row.id, previous: row.prevHash }
        const problem = rowProblem(row, before)
        if (problem !== undefined) return fail(`row ${row.id}: ${problem}`)
        before = { id: row.id, hash: row.hash }
        digest.update(`${held}\n`)
        onRow(row)
      }
      held = line
      count += 1
      if (count % ROWS_A_TURN === 0) await nextTurn()
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return fail(code === 'ENOENT' ? 'it is missing' : `it cannot be read (${code ?? 'unknown'})`)
  }
  const seal = held === undefined ? undefined : parseSeal(held)
  if (seal === undefined) return fail('its last line is no seal: it was cut off')
  const { mac, ...sealed } = seal
  if (!equalInConstantTime(macOf(deps.key, sealed), mac))
    return fail('its seal was not made with this master key')
  if (start === undefined || before === undefined) return fail('it holds no row')
  const isWhole =
    seal.digest === digest.digest('hex') &&
    seal.first === start.id &&
    seal.previous === start.previous &&
    seal.last === before.id &&
    seal.head === before.hash
  return isWhole ? { ok: true, seal } : fail('its rows are not those that were sealed')
}

/** The last row that is wanted, of files whose seals are good, the newest first. A file that is missing or was changed has none. */
export async function findArchivedRow(
  deps: { readonly files: AuditArchiveFiles; readonly key: KeyObject },
  archives: readonly AuditArchive[],
  isWanted: (row: StoredAuditRow) => boolean,
): Promise<StoredAuditRow | undefined> {
  for (const archive of archives.toReversed()) {
    let found: StoredAuditRow | undefined
    const read = await readArchive(deps, archive.name, (row) => {
      if (isWanted(row)) found = row
    })
    if (found !== undefined && read.ok && sealDiffers(read.seal, archive) === undefined) return found
  }
  return undefined
}

export type ArchiveVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly name: string; readonly reason: string }

/** Every listed file, in order, against the list and each other; `until` is where the live rows begin. */
export async function verifyArchives(
  deps: { readonly files: AuditArchiveFiles; readonly key: KeyObject },
  archives: readonly AuditArchive[],
  until: { readonly id: number; readonly hash: string },
  genesis: string,
): Promise<ArchiveVerdict> {
  let previous = { id: 0, hash: genesis }
  for (const archive of archives) {
    const fail = (reason: string): ArchiveVerdict => ({ ok: false, name: archive.name, reason })
    if (archive.first !== previous.id + 1)
      return fail(`rows ${previous.id + 1} to ${archive.first - 1} are in no archive`)
    if (archive.previous !== previous.hash) return fail('it does not continue the one before it')
    const read = await readArchive(deps, archive.name)
    if (!read.ok) return fail(read.reason)
    const differs = sealDiffers(read.seal, archive)
    if (differs !== undefined) return fail(differs)
    previous = { id: archive.last, hash: archive.head }
  }
  if (previous.id === until.id && previous.hash === until.hash) return { ok: true }
  const missing =
    previous.id < until.id ? archiveName(previous.id + 1, until.id) : (archives.at(-1)?.name ?? '')
  return { ok: false, name: missing, reason: 'the rows before the live ones are in no listed archive' }
}

const sealDiffers = (seal: SealLine, archive: AuditArchive): string | undefined =>
  seal.first === archive.first &&
  seal.last === archive.last &&
  seal.previous === archive.previous &&
  seal.head === archive.head &&
  seal.digest === archive.digest
    ? undefined
    : 'it is another file than the one that was archived'

function rowProblem(row: StoredAuditRow, before: { id: number; hash: string }): string | undefined {
  if (row.id !== before.id + 1) return `row ${before.id + 1} is missing`
  if (row.prevHash !== before.hash) return 'it does not continue the row before it'
  return row.hash === auditRowHash(row) ? undefined : 'its content is not what was hashed'
}

const broken = (id: number, why: string): AppError =>
  new AppError(
    'conflict',
    `Nothing was archived: the audit is broken at row ${id} (${why}); see oauth3 audit verify.`,
  )

const macOf = (key: KeyObject, sealed: Omit<SealLine, 'mac'>): string =>
  createHmac('sha256', key)
    .update(`${FORMAT}\n${canonicalJson(sealed)}`)
    .digest('hex')

function parseRow(line: string): StoredAuditRow | undefined {
  const row = parse(line) as Partial<StoredAuditRow> | undefined
  const isRow =
    Number.isSafeInteger(row?.id) &&
    Number.isSafeInteger(row?.at) &&
    [row?.event, row?.actor, row?.data, row?.prevHash, row?.hash].every((text) => typeof text === 'string') &&
    (row?.requestId === null || typeof row?.requestId === 'string')
  return isRow ? (row as StoredAuditRow) : undefined
}

function parseSeal(line: string): SealLine | undefined {
  const seal = parse(line) as Partial<SealLine> | undefined
  const { format, first, last, previous, head, digest, mac } = seal ?? {}
  const isSeal =
    format === FORMAT &&
    Number.isSafeInteger(first) &&
    Number.isSafeInteger(last) &&
    [previous, head, digest, mac].every((text) => typeof text === 'string')
  return isSeal ? ({ format, first, last, previous, head, digest, mac } as SealLine) : undefined
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
