/**
 * How a run's files reach the model. `claude -p` has no option for local files, and without tools it reads none: so texts, images
 * and PDFs go with the prompt, as the Messages API has them. What a tool may read lies in the working folder too.
 */
import type { RunFile } from '../index.ts'
import type { InputBlock } from './say.ts'

/** Of all files that go with the prompt; in base64 they are a third more, and a request may have 32 MB. */
const MAX_ATTACHED_BYTES = 20 * 1_048_576
const READERS: ReadonlySet<string> = new Set(['Read', 'Bash', 'Grep'])
const NAME = /^(?!\.{1,2}$)[^/\0\n]{1,255}$/

export interface FilePlan {
  readonly blocks: readonly InputBlock[]
  /** What is placed into the working folder. */
  readonly placed: readonly { readonly name: string; readonly content: AsyncIterable<Uint8Array> }[]
}

/** The files cannot be used as the run is; `message` says why, for a person. */
export class FilesRefused extends Error {}

/** Reads what goes with the prompt into memory, and nothing else. Throws FilesRefused. */
export async function planFiles(files: readonly RunFile[], tools: readonly string[]): Promise<FilePlan> {
  const canRead = tools.some((tool) => READERS.has(tool))
  const blocks: InputBlock[] = []
  const placed: { name: string; content: AsyncIterable<Uint8Array> }[] = []
  let attached = 0
  const names = new Set<string>()
  for (const file of files) {
    if (!NAME.test(file.name) || names.has(file.name))
      throw new FilesRefused(
        `A file needs a name of its own without folders: ${JSON.stringify(file.name.slice(0, 100))}.`,
      )
    names.add(file.name)
    if (attached + file.bytes > MAX_ATTACHED_BYTES) {
      if (!canRead)
        throw new FilesRefused(
          `The files have more than ${MAX_ATTACHED_BYTES} bytes, and the run has no tool to read them with.`,
        )
      placed.push({ name: file.name, content: file.open() })
      continue
    }
    const bytes = await collect(file)
    const block = blockOf(file.name, bytes)
    if (bytes.length === 0 && !canRead)
      throw new FilesRefused(
        `${JSON.stringify(file.name)} is empty: there is nothing of it to go with the prompt.`,
      )
    if (block === undefined && !canRead)
      throw new FilesRefused(
        `${JSON.stringify(file.name)} is neither text, image nor PDF, and the run has no tool to read it with.`,
      )
    if (block !== undefined) {
      attached += bytes.length
      blocks.push(block)
    }
    if (tools.length > 0) placed.push({ name: file.name, content: once(bytes) })
  }
  return { blocks, placed }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Throws when the file gives more than it said. */
async function collect({ name, bytes, open }: RunFile): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of open()) {
    length += part.length
    if (length > bytes) throw new FilesRefused(`${JSON.stringify(name)} is longer than was said.`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** By its first bytes, never by its name. Undefined for what the model takes in no form. */
function blockOf(name: string, bytes: Buffer): InputBlock | undefined {
  const media = mediaTypeOf(bytes)
  if (media === 'text/plain')
    return {
      type: 'document',
      source: { type: 'text', media_type: media, data: bytes.toString('utf8') },
      title: name,
    }
  if (media === undefined) return undefined
  const source = { type: 'base64', media_type: media, data: bytes.toString('base64') }
  return media === 'application/pdf' ? { type: 'document', source, title: name } : { type: 'image', source }
}

const latin = (...bytes: number[]): string => Buffer.from(bytes).toString('latin1')
/** What a file begins with, and from which byte on. */
const SIGNATURES: readonly (readonly [string, string, number])[] = [
  ['image/png', `${latin(0x89)}PNG\r\n${latin(0x1a)}\n`, 0],
  ['image/jpeg', latin(0xff, 0xd8, 0xff), 0],
  ['image/gif', 'GIF8', 0],
  ['image/webp', 'WEBPVP8', 8],
  ['application/pdf', '%PDF-', 0],
]

function mediaTypeOf(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 16).toString('latin1')
  const known = SIGNATURES.find(([, signature, at]) => head.startsWith(signature, at))
  if (known !== undefined) return known[0]
  if (bytes.length === 0 || bytes.includes(0)) return undefined
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return 'text/plain'
  } catch {
    return undefined
  }
}
