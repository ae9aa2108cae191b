/** Files between a person and a hosted agent: what is in the folder that the agent works in. Each that passes is a row of the audit. */
import { MAX_FILE_BYTES } from '../../contracts/admin/index.ts'
import type { Principal } from '../../identity/index.ts'
import {
  type AgentId,
  AppError,
  type Clock,
  createOneAtATimeEach,
  formatBytes,
  hasHiddenCharacters,
  type MachineId,
  sha256Hex,
  visibleText,
} from '../../kernel/index.ts'
import {
  type FileKind,
  type FolderEntry,
  filePathIn,
  type Machine,
  type MachineFolders,
} from '../machines/index.ts'
import type { FileRoom } from './file-room.ts'
import { agentIdOf, kindOf } from './hosted-agent.ts'

export interface WorkspaceEntry {
  /** To be shown: what a screen would not show is written out. */
  readonly name: string
  /** From the workspace down; null: its name is none that can be asked for. */
  readonly path: string | null
  readonly kind: FileKind
  readonly bytes: number | null
  readonly modifiedAt: number
}

/** A file on its way to a person, held in memory until it is disposed of. */
interface TakenFile extends Disposable {
  readonly name: string
  readonly content: Uint8Array
  /** Nothing more of it is told from then on. */
  readonly until: AbortSignal
}

/** `source` ends when all of it is there. */
interface GivenFile {
  readonly bytes: number
  readonly source: AsyncIterable<Uint8Array>
  /** Whether a file of that name is replaced. */
  readonly replace: boolean
}

interface PutFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/**
 * By id or name of the agent. All wake it, and throw `not_found`, `invalid_request` for a path, `refused` for links and whatever cannot
 * have files, `conflict`, `rate_limited`, `locked`, and `sandbox_unavailable` where it is not awake in time.
 */
export interface Workspaces {
  /** Direct children of a folder, up to a limit; '' is the workspace. */
  listFiles(
    name: string,
    folder: string,
  ): Promise<{ readonly entries: readonly WorkspaceEntry[]; readonly isCut: boolean }>
  /** Throws `too_large` as well. */
  takeFile(name: string, path: string, by: Principal, signal: AbortSignal): Promise<TakenFile>
  /** Nothing is there before all of it came. Throws `too_large`, `conflict` where a file is there, `storage_unavailable`. */
  putFile(name: string, path: string, given: GivenFile, by: Principal, signal: AbortSignal): Promise<PutFile>
}

export interface FileNote {
  readonly what: 'machine.file_put' | 'machine.file_taken'
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface WorkspacesDeps {
  /** Throws where nobody may speak to it now. */
  readonly admit: (name: string) => Promise<Machine>
  /** Wakes it, and holds it awake until disposed of. */
  readonly open: (
    name: string,
    signal: AbortSignal,
  ) => Promise<{ readonly machine: Machine; readonly until: AbortSignal } & Disposable>
  /** Aborted when a lockdown begins. */
  readonly halted: () => AbortSignal
  readonly filesOf: (id: MachineId) => Promise<MachineFolders>
  readonly ownerOf: (machine: Machine) => string
  readonly room: FileRoom
  /** Into the audit, with secrets cut out of the path. Throws `locked`. */
  readonly note: (machine: Machine, note: FileNote, by: Principal) => Promise<void>
  /** Throws `storage_unavailable` where the disk is nearly full. */
  readonly assertRoom: () => void
  readonly clock: Clock
}

/** Below its home: where OpenClaw is told to work (`openclaw-config.mjs` of its image). */
const WORKSPACE = 'workspace'
/** What a file counts for at least: each has its place in a queue, the empty one too. */
const LEAST_BYTES = 65_536
/** A file that is being written grows between a look and the reading of it. */
const GROWTH_BYTES = 65_536
/** Clients wait a minute for an answer. */
const ACT_MS = 50_000

export function createWorkspaces(deps: WorkspacesDeps): Workspaces & { cut(agent: AgentId): void } {
  const { admit, filesOf, ownerOf, room, note, clock } = deps
  const underWay = new Set<{ readonly agent: AgentId; readonly ending: AbortController }>()
  const inTurn = createOneAtATimeEach<MachineId>()

  async function assertHasFiles(name: string): Promise<Machine> {
    const machine = await admit(name)
    const kind = kindOf(machine)
    if (kind !== 'openclaw') throw new AppError('refused', `A ${kind} has no workspace.`)
    return machine
  }

  /** Ends with its agent's removal, and in a lockdown. */
  function began(machine: Machine): { readonly signal: AbortSignal } & Disposable {
    const one = { agent: agentIdOf(machine), ending: new AbortController() }
    underWay.add(one)
    return {
      signal: AbortSignal.any([one.ending.signal, deps.halted()]),
      [Symbol.dispose]: () => void underWay.delete(one),
    }
  }

  /** Awake, and in its turn at the engine. */
  async function within<T>(
    machine: Machine,
    signal: AbortSignal,
    act: (files: MachineFolders, until: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = AbortSignal.timeout(ACT_MS)
    try {
      using open = await deps.open(machine.id, AbortSignal.any([signal, late]))
      using _turn = await room.turn(ownerOf(machine), open.until)
      return await act(await filesOf(machine.id), open.until)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (late.aborted)
        throw new AppError('sandbox_unavailable', 'It is still being woken; try it again in a moment.', {
          retryAfterSeconds: 10,
        })
      throw error
    }
  }

  return {
    async listFiles(name, folder) {
      const path = filePathIn(WORKSPACE, folder)
      const machine = await assertHasFiles(name)
      using begun = began(machine)
      const { entries, isCut } = await within(machine, begun.signal, async (files, until) => {
        // It makes its workspace itself, once it works.
        const isThere = folder !== '' || (await files.find(path, until)) !== undefined
        return isThere ? await files.list(path, until) : { entries: [], isCut: false }
      })
      return { entries: entries.map((entry) => seen(entry, folder)), isCut }
    },

    async takeFile(name, path, by, signal) {
      const place = filePathIn(WORKSPACE, path)
      const machine = await assertHasFiles(name)
      using stack = new DisposableStack()
      const begun = stack.use(began(machine))
      const until = AbortSignal.any([signal, begun.signal])
      const content = await within(machine, until, async (files, open) => {
        const bytes = (await files.find(place, open))?.bytes ?? 0
        if (bytes > MAX_FILE_BYTES) throw tooLarge()
        const most = Math.min(bytes + GROWTH_BYTES, MAX_FILE_BYTES)
        stack.use(room.hold(ownerOf(machine), most))
        return await files.read(place, most, open)
      })
      await note(machine, { what: 'machine.file_taken', path, ...of(content) }, by)
      const held = stack.move()
      return {
        name: [...(place.at(-1) ?? '')].map((char) => (hasHiddenCharacters(char) ? '_' : char)).join(''),
        ...{ content, until: begun.signal },
        [Symbol.dispose]: () => held.dispose(),
      }
    },

    async putFile(name, path, { bytes, source, replace }, by, signal) {
      const place = filePathIn(WORKSPACE, path)
      if (path === '') throw new AppError('invalid_request', 'Say what the file is to be called.')
      const machine = await assertHasFiles(name)
      deps.assertRoom()
      if (bytes > MAX_FILE_BYTES) throw tooLarge()
      using begun = began(machine)
      using _held = room.hold(ownerOf(machine), Math.max(bytes, LEAST_BYTES))
      const until = AbortSignal.any([signal, begun.signal])
      const content = await collected(source, bytes, until)
      const told = of(content)
      await inTurn(machine.id, () =>
        within(machine, until, async (files, open) => {
          const found = await files.find(place, open)
          if (found?.kind === 'file' && !replace)
            throw new AppError(
              'conflict',
              'There is a file of that name in the workspace already; --force (replace=1) replaces it.',
            )
          // Whoever asks may have come to be nobody's while the machine woke, and a lockdown have begun.
          await assertHasFiles(machine.id)
          await note(machine, { what: 'machine.file_put', path, ...told }, by)
          await files.write(place, content, { replace, now: clock.now() }, open)
        }),
      )
      return { path, ...told }
    },

    cut(agent) {
      for (const one of underWay)
        if (one.agent === agent)
          one.ending.abort(new AppError('refused', 'The agent of this machine was revoked.'))
    },
  }
}

const of = (content: Uint8Array) => ({ bytes: content.length, sha256: sha256Hex(content) })
const tooLarge = (): AppError =>
  new AppError('too_large', `A file of more than ${formatBytes(MAX_FILE_BYTES)} is not passed on.`)

function seen({ name, ...rest }: FolderEntry, folder: string): WorkspaceEntry {
  const text = Buffer.from(name).toString()
  const path = folder === '' ? text : `${folder}/${text}`
  return { ...rest, name: shown(text), path: canBeAskedFor(name, text, path) ? path : null }
}

/** On one line: a name may hold line feeds. */
const shown = (text: string): string =>
  visibleText(text.replace(/[\t\n]/g, (char) => `⟨U+${char === '\t' ? '0009' : '000A'}⟩`))

/** Bytes that are no UTF-8 come back as others. */
function canBeAskedFor(name: Uint8Array, text: string, path: string): boolean {
  if (!Buffer.from(text).equals(name)) return false
  try {
    filePathIn(WORKSPACE, path)
    return true
  } catch {
    return false
  }
}

async function collected(
  source: AsyncIterable<Uint8Array>,
  bytes: number,
  until: AbortSignal,
): Promise<Uint8Array> {
  const whole = Buffer.allocUnsafeSlow(bytes)
  let at = 0
  for await (const piece of untilAborted(source, until)) {
    if (at + piece.length > bytes) throw new AppError('invalid_request', 'More came than was announced.')
    whole.set(piece, at)
    at += piece.length
  }
  if (at < bytes) throw new AppError('invalid_request', 'The file was cut off.')
  return whole
}

/** At once, also where nothing more comes. */
async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  until: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  aborted.catch(() => {})
  const abort = (): void => reject(until.reason)
  until.addEventListener('abort', abort, { once: true })
  const pieces = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      until.throwIfAborted()
      const next = await Promise.race([pieces.next(), aborted])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    until.removeEventListener('abort', abort)
    // It may still wait for a piece, and ends behind it.
    void pieces.return?.(undefined)?.catch(() => {})
  }
}
