/** Files between this machine and the workspace of a hosted agent. */
import { createReadStream } from 'node:fs'
import { rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import type { Command } from 'commander'
import { type FileListView, MAX_FILE_BYTES } from '../../contracts/admin/index.ts'
import { formatBytes } from '../../kernel/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime, terminalText } from '../text-layout.ts'
import { noteStart } from './host-chat.ts'

export function addFileCommands(host: Command, context: CommandContext): void {
  const { terminal, show } = context

  host
    .command('files')
    .description('what is in the workspace of a hosted agent, or in a folder of it; wakes it')
    .argument('<name>')
    .argument('[folder]', 'from the workspace down')
    .action(async (name: string, folder = '') => {
      await noteStart(context, name)
      const answer = await context.client.call('listHostFiles', { params: { name }, query: { folder } })
      await show(answer, () => listed(answer, context))
    })

  host
    .command('put')
    .description('put a file into the workspace of a hosted agent, up to 25 MiB; wakes it')
    .argument('<name>')
    .argument('<file>', 'of this machine; - is standard input')
    .argument('[path]', 'what it is called there, from the workspace down; left out: as it is here')
    .option('--force', 'replace a file of that name')
    .addHelpText(
      'after',
      examples(
        ['oauth3 host put claw report.pdf', 'then tell it: oauth3 host chat claw'],
        ['pg_dump shop | oauth3 host put claw - dumps/shop.sql', 'folders that lack are made'],
      ),
    )
    .action(async (name: string, file: string, path: string | undefined, { force = false }: Forced) => {
      const called = path ?? (file === '-' ? undefined : basename(file))
      if (called === undefined) throw usageError('Say what it is to be called there.')
      const content = file === '-' ? await terminal.readBytes(MAX_FILE_BYTES) : await readLocal(file)
      await noteStart(context, name)
      const answer = await context.client.call('putHostFile', {
        params: { name },
        query: { path: called, replace: force ? '1' : '0' },
        content,
      })
      await show(
        answer,
        () => `${terminalText(answer.path)} is in the workspace of ${name}, ${formatBytes(answer.bytes)}.`,
      )
    })

  host
    .command('get')
    .description('take a file out of the workspace of a hosted agent, up to 25 MiB; wakes it')
    .argument('<name>')
    .argument('<path>', 'from the workspace down: oauth3 host files NAME')
    .argument('[file]', 'or folder of this machine; - is standard output; left out: as it is called there')
    .option('--force', 'replace a file of this machine')
    .addHelpText(
      'after',
      examples(
        ['oauth3 host get claw notes/today.md', 'into the folder that you are in'],
        ['oauth3 host get claw notes/today.md - | less', 'to another program'],
      ),
    )
    .action(async (name: string, path: string, file: string | undefined, { force = false }: Forced) => {
      const isPrinted = file === '-'
      const target = await targetOf(file, posix.basename(path))
      if (!isPrinted && !force) await assertFree(target)
      await noteStart(context, name)
      const content = await context.client.bytes('takeHostFile', { params: { name }, query: { path } })
      if (isPrinted) return await terminal.printBytes(content)
      await writeLocal(target, content, force)
      await show(
        { file: target, bytes: content.length },
        () => `${terminalText(target)} was written, ${formatBytes(content.length)}.`,
      )
    })
}

interface Forced {
  readonly force?: boolean
}

function listed({ entries, truncated }: FileListView, { terminal }: CommandContext): string {
  if (entries.length === 0 && !truncated) return 'Nothing is there.'
  const table = renderTable(
    ['NAME', 'KIND', 'SIZE', 'CHANGED'],
    entries.map(({ name, kind, bytes, modified_at, path }) => [
      path === null ? `${terminalText(name)} (cannot be asked for)` : terminalText(name),
      ...[kind, bytes === null ? '' : formatBytes(bytes), formatTime(Date.parse(modified_at))],
    ]),
    terminal.style,
    { columns: terminal.columns, shrink: [[0, 12]] },
  )
  return truncated
    ? `${table}\n(there may be more: it is shown up to a thousand names, and to 256 MiB of what is in them)`
    : table
}

/** Bounded, whatever it is: a pipe and a device have no size. */
async function readLocal(file: string): Promise<Uint8Array> {
  try {
    const content = Buffer.concat(await Array.fromAsync(createReadStream(file, { end: MAX_FILE_BYTES })))
    if (content.length > MAX_FILE_BYTES)
      throw usageError(`${file} has more than ${formatBytes(MAX_FILE_BYTES)}, which is the most.`)
    return content
  } catch (error) {
    if (error instanceof CliError) throw error
    throw usageError(`${file} cannot be read: ${codeOf(error)}.`)
  }
}

/** As `cp` takes it: a folder gets the file by its name. */
async function targetOf(file: string | undefined, name: string): Promise<string> {
  if (file === undefined) return name
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder ? join(file, name) : file
}

const taken = (file: string): CliError =>
  new CliError('conflict', EXIT.refused, `${file} is there already; --force replaces it.`)

/** Before anything is asked for. */
async function assertFree(file: string): Promise<void> {
  const isFree = await stat(file).then(
    () => false,
    () => true,
  )
  if (!isFree) throw taken(file)
}

/** What was not there before is whole, or not there. */
async function writeLocal(file: string, content: Uint8Array, force: boolean): Promise<void> {
  try {
    await writeFile(file, content, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw taken(file)
    if (!force) await rm(file, { force: true })
    throw new CliError('failed', EXIT.failed, `${file} cannot be written: ${codeOf(error)}.`)
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
