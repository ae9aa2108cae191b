import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../kernel/index.ts'
import { type FetchedHop, MAX_CODE_BYTES, parseSkillUrl, type SkillFetcher } from '../code/index.ts'

/**
 * Where an index and the code that it lists are read: over https, by the fetcher of skill_url with all that it checks, or from a
 * file of this machine, which only an index that is itself a file can name, and only below its own folder.
 */
export interface RegistrySource {
  /** The address as it is kept; throws `invalid_request`. A page of Gist becomes its raw form. */
  addressOf(text: string): string
  /** Throws `skill_unreachable` or `skill_url_refused`. */
  readIndex(address: string, signal: AbortSignal): Promise<string>
  /** The address of an entry's code; throws `registry_refused` for one that the index may not name. */
  codeAddress(index: string, url: string): string
  readCode(
    index: string,
    code: string,
    signal: AbortSignal,
    onHop?: (hop: FetchedHop) => void,
  ): Promise<string>
}

/** Names of a path below the index: nothing that leads up, and nothing hidden. */
const RELATIVE = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/
/** The raw form of a Gist stands for a folder, though nothing ends it as one. */
const GIST_FOLDER = /^\/[^/]+\/[0-9a-f]+\/raw(?:\/[0-9a-f]{40})?$/

export function createRegistrySource(fetcher: SkillFetcher): RegistrySource {
  /** The host of an index that the owner added may be asked for its code as well, whatever OAUTH3_SKILL_URL_HOSTS lists. */
  const own = (index: string): readonly string[] => [new URL(index).hostname]
  return {
    addressOf(text) {
      if (text.startsWith('file:')) return fileAddress(text)
      const parsed = parseSkillUrl(text)
      if (parsed.ok) return parsed.url.href
      throw new AppError('invalid_request', `The address of a registry ${parsed.problem}.`)
    },
    async readIndex(address, signal) {
      if (isFile(address)) return await readFileText(fileURLToPath(address))
      const as = { what: 'The address of the registry', hosts: own(address), json: true }
      return (await fetcher.fetch(address, signal, undefined, as)).text
    },
    codeAddress(index, url) {
      if (RELATIVE.test(url)) return relativeTo(index, url)
      const parsed = parseSkillUrl(url)
      if (parsed.ok) return parsed.url.href
      throw new AppError('registry_refused', `The address of the code ${parsed.problem}.`)
    },
    async readCode(index, code, signal, onHop) {
      if (isFile(code)) return await readBelow(dirname(fileURLToPath(index)), fileURLToPath(code))
      const hosts = isFile(index) ? [] : own(index)
      return (await fetcher.fetch(code, signal, onHop, { what: 'The address of the code', hosts })).text
    },
  }
}

const isFile = (address: string): boolean => address.startsWith('file:')

function relativeTo(index: string, path: string): string {
  const base = new URL(index)
  base.search = ''
  if (base.hostname === 'gist.githubusercontent.com' && GIST_FOLDER.test(base.pathname)) base.pathname += '/'
  return new URL(path, base).href
}

function fileAddress(text: string): string {
  const url = URL.parse(text)
  if (
    url === null ||
    url.host !== '' ||
    url.search !== '' ||
    url.hash !== '' ||
    !/^[\x21-\x7e]{1,2048}$/.test(text)
  )
    throw new AppError(
      'invalid_request',
      'The address of a registry in a file is file:///path/to/index.json.',
    )
  return url.href
}

/** Symbolic links out of the folder lead nowhere. */
async function readBelow(folder: string, file: string): Promise<string> {
  const [root, real] = await Promise.all([realpath(folder), realpath(file)]).catch(() => {
    throw unreadable()
  })
  if (!real.startsWith(join(root, '/'))) throw unreadable()
  return await readFileText(real)
}

/** A device or a pipe in the place of the file would never end, or never begin. */
async function readFileText(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const { size } = await file.stat().then((found) => (found.isFile() ? found : { size: Infinity }))
    if (size > MAX_CODE_BYTES) throw unreadable()
    const bytes = new Uint8Array(MAX_CODE_BYTES + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (length > MAX_CODE_BYTES) throw unreadable()
      if (bytesRead === 0) break
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length))
  } catch {
    throw unreadable()
  } finally {
    await file?.close()
  }
}

/** One answer for all of them: it says of no file whether it is there. */
const unreadable = (): AppError =>
  new AppError(
    'skill_unreachable',
    'The file of the registry is no text of at most 1 MiB that the daemon can read.',
  )
