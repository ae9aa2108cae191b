import { useRef, useState } from 'preact/hooks'
import type { FileListView } from '../../../src/contracts/admin/index.ts'
import { useAct } from '../admin/act.tsx'
import { Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { bytes } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { ApiError } from '../api/transport.ts'
import { Icon } from '../ui/icon.tsx'

type FileRow = FileListView['entries'][number]

interface FilesOf {
  readonly of: string
  /** Paths of files that the next message speaks of. */
  readonly attached: readonly string[]
}

/** What is in a hosted agent's workspace. It is read once somebody opens it: that wakes the agent. */
export function HostFiles(files: FilesOf) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Files</summary>
      {isOpen && <Workspace {...files} />}
    </details>
  )
}

function Workspace({ of: name, attached }: FilesOf) {
  const [folder, setFolder] = useState('')
  const loaded = useLoaded(
    () => api.call('listHostFiles', { params: { name }, query: { folder } }),
    // What was attached meanwhile stands in it, too.
    `${name}/${folder}\0${attached.length}`,
    // It wakes the agent, which a page that is left open does not.
    null,
  )
  const { isBusy, refusal, run } = useAct()
  const take = (path: string, shown: string): void =>
    void run(() => download(name, path, shown), 'It is saved.')
  return (
    <section class="part" aria-label="Workspace">
      <div class="acts">
        <Way to={folder} go={setFolder} />
        <button type="button" class="small" onClick={loaded.reload}>
          Look again
        </button>
      </div>
      <p class="refusal" role="alert">
        {refusal}
      </p>
      <Show of={loaded}>
        {(list) =>
          // While the next folder is read, its rows would be taken for those of this one.
          list.folder !== folder ? (
            <p class="empty">Loading …</p>
          ) : (
            <>
              <Table
                label="Files in the workspace"
                rows={list.entries}
                keyOf={({ path, name: shown, modified_at }) => path ?? `${shown} ${modified_at}`}
                empty="Nothing is there."
                columns={[
                  {
                    title: 'Name',
                    isName: true,
                    cell: (row) => (
                      <span>
                        <Name of={row} isBusy={isBusy} go={setFolder} take={take} />{' '}
                        {row.path !== null && attached.includes(row.path) && (
                          <span class="badge">attached</span>
                        )}
                      </span>
                    ),
                  },
                  {
                    title: 'Size',
                    isNumber: true,
                    cell: (row) => (row.bytes === null ? '' : bytes(row.bytes)),
                  },
                  { title: 'Changed', cell: (row) => <Time at={Date.parse(row.modified_at)} /> },
                ]}
              />
              {list.truncated && (
                <p class="soft">There may be more: it is too much to be looked through from outside.</p>
              )}
            </>
          )
        }
      </Show>
    </section>
  )
}

function Way({ to, go }: { readonly to: string; readonly go: (folder: string) => void }) {
  const names = to === '' ? [] : to.split('/')
  return (
    <nav aria-label="Folder">
      <button type="button" class="quiet" disabled={to === ''} onClick={() => go('')}>
        Workspace
      </button>
      {names.map((one, at) => {
        const path = names.slice(0, at + 1).join('/')
        return (
          <span key={path}>
            {' / '}
            <button type="button" class="quiet" disabled={path === to} onClick={() => go(path)}>
              <bdi>{one}</bdi>
            </button>
          </span>
        )
      })}
    </nav>
  )
}

const NO_FILE = { link: ' (a link)', other: ' (no file)', file: '', folder: '' } as const

/** A folder is gone into and a file saved; what cannot be asked for is named alone. */
function Name({
  of: { name, path, kind },
  isBusy,
  go,
  take,
}: {
  readonly of: FileRow
  readonly isBusy: boolean
  readonly go: (folder: string) => void
  readonly take: (path: string, shown: string) => void
}) {
  const shown = <bdi>{kind === 'folder' ? `${name}/` : name}</bdi>
  if (path === null || kind === 'link' || kind === 'other')
    return (
      <>
        {shown}
        <span class="soft">{path === null ? ' (cannot be asked for)' : NO_FILE[kind]}</span>
      </>
    )
  if (kind === 'folder')
    return (
      <button type="button" class="quiet" onClick={() => go(path)}>
        {shown}
      </button>
    )
  return (
    <button type="button" class="quiet" disabled={isBusy} onClick={() => take(path, name)}>
      {shown}
      <span class="soft"> Download</span>
    </button>
  )
}

/** Saved and never shown: a page of this origin made of an agent's file would speak for the person. */
async function download(name: string, path: string, shown: string): Promise<void> {
  const content = await api.bytes('takeHostFile', { params: { name }, query: { path } })
  const url = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = safeName(shown)
  link.click()
  // Not before the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

export interface Attached {
  readonly paths: readonly string[]
  readonly isBusy: boolean
  readonly refusal: string | undefined
  readonly add: (files: readonly File[]) => void
  readonly drop: (path: string) => void
  readonly clear: () => void
}

/** Files that the next message speaks of: each is in the workspace already. */
export function useAttached(name: string): Attached {
  const [paths, setPaths] = useState<readonly string[]>([])
  const { isBusy, refusal, run } = useAct()
  const add = async (files: readonly File[]): Promise<void> => {
    for (const file of files) {
      const path = await put(name, file)
      setPaths((known) => [...known, path])
    }
  }
  return {
    ...{ paths, isBusy, refusal },
    add: (files) => void run(() => add(files), 'It is in the workspace.'),
    drop: (path) => setPaths((known) => known.filter((one) => one !== path)),
    clear: () => setPaths([]),
  }
}

/** What the agent is told of them. */
export const withAttached = (text: string, paths: readonly string[]): string =>
  paths.length === 0
    ? text
    : `${text}\n\nFiles that I put into your workspace:\n${paths.map((path) => `- ${path}`).join('\n')}`.trim()

/** The button with the paperclip. */
export function AttachButton({ of: { add, isBusy } }: { readonly of: Attached }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={({ currentTarget }) => {
          add([...(currentTarget.files ?? [])])
          // The same file again is a change, too.
          currentTarget.value = ''
        }}
      />
      <button type="button" disabled={isBusy} onClick={() => input.current?.click()}>
        <Icon name="clip" /> {isBusy ? 'It is sent …' : 'Attach'}
      </button>
    </>
  )
}

export function AttachedList({ of: { paths, refusal, drop } }: { readonly of: Attached }) {
  return (
    <>
      {paths.length > 0 && (
        <ul class="attached" aria-label="In its workspace">
          {paths.map((path) => (
            <li key={path}>
              <bdi>{path}</bdi>{' '}
              <button
                type="button"
                class="quiet"
                aria-label={`Do not mention ${path}`}
                onClick={() => drop(path)}
              >
                Do not mention
              </button>
            </li>
          ))}
        </ul>
      )}
      <p class="refusal" role="alert">
        {refusal}
      </p>
    </>
  )
}

const FOLDER = 'uploads'
const MAX_NAME_BYTES = 200
const MOST_OF_ONE_NAME = 50

/** Nothing is replaced: of a name that is taken it becomes another one. */
async function put(name: string, file: File): Promise<string> {
  const called = safeName(file.name)
  for (let number = 1; ; number += 1) {
    const path = `${FOLDER}/${number === 1 ? called : numbered(called, number)}`
    try {
      return (await api.call('putHostFile', { params: { name }, query: { path }, content: file })).path
    } catch (error) {
      const isTaken = error instanceof ApiError && error.code === 'conflict'
      if (!isTaken || number === MOST_OF_ONE_NAME) throw error
    }
  }
}

function numbered(called: string, number: number): string {
  const at = called.lastIndexOf('.')
  return at > 0 ? `${called.slice(0, at)}-${number}${called.slice(at)}` : `${called}-${number}`
}

/** A name on this machine may have what hides or turns around the rest of it. */
function safeName(name: string): string {
  const plain = name.replace(/[\p{C}\p{Zl}\p{Zp}/\\]/gu, '_').trim()
  const at = plain.lastIndexOf('.')
  const end = at > 0 && plain.length - at <= 16 ? plain.slice(at) : ''
  let stem = plain.slice(0, plain.length - end.length)
  while (new TextEncoder().encode(stem + end).length > MAX_NAME_BYTES) stem = [...stem].slice(0, -1).join('')
  return /^\.*$/.test(stem + end) ? 'file' : stem + end
}
