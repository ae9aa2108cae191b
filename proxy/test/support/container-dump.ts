import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type Docker from 'dockerode'

/**
 * Everything that a container holds, seen by root on the host: the memory of each of its processes, what the kernel tells
 * of them, the files of its image and of its own mounts.
 */
export interface ContainerDump {
  readonly places: ReadonlyMap<string, Buffer>
  readonly memoryBytes: number
}

const CHUNK_BYTES = 4 * 1_048_576
const MAX_FILE_BYTES = 256 * 1_048_576

/** `isWhole` false: without the files of its image, which take longest. */
export async function dumpContainer(container: Docker.Container, isWhole = true): Promise<ContainerDump> {
  const places = new Map<string, Buffer>()
  let memoryBytes = 0
  for (const pid of await pidsOf(container)) {
    const memory = unlessGone(() => dumpMemory(pid))
    if (memory === undefined) continue
    memoryBytes += memory.length
    places.set(`memory of ${pid}`, memory)
    for (const file of ['environ', 'cmdline', 'maps', 'status']) {
      const bytes = unlessGone(() => readFileSync(`/proc/${pid}/${file}`))
      if (bytes !== undefined) places.set(`/proc/${pid}/${file}`, bytes)
    }
    for (const [name, target] of descriptorsOf(pid)) places.set(name, Buffer.from(target))
    for (const folder of ['tmp', 'run/oauth3', 'dev']) filesUnder(`/proc/${pid}/root/${folder}`, places)
  }
  if (isWhole) places.set('exported files', await exported(container))
  places.set('inspect', Buffer.from(JSON.stringify(await container.inspect())))
  return { places, memoryBytes }
}

/** What runs on while it is read starts helpers and deletes files: what went in between is left out, and nothing else. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

async function pidsOf(container: Docker.Container): Promise<number[]> {
  const { Titles, Processes } = (await container.top()) as { Titles: string[]; Processes: string[][] }
  const column = Titles.indexOf('PID')
  return Processes.map((row) => Number(row[column]))
}

/** All that is mapped and can be read; pages that were never touched are left out by the kernel as zeros. */
function dumpMemory(pid: number): Buffer {
  const parts: Buffer[] = []
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const pages = openSync(`/proc/${pid}/pagemap`, 'r')
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (....)/.exec(line) ?? []
      if (from === undefined || to === undefined || mode?.startsWith('r') !== true) continue
      // The kernel's own page of the clock cannot be read that way, and holds nothing.
      if (/\[v(?:var|syscall)/.test(line)) continue
      for (const [start, bytes] of presentRuns(pages, Number.parseInt(from, 16), Number.parseInt(to, 16))) {
        parts.push(readRun(memory, start, bytes))
      }
    }
  } finally {
    closeSync(memory)
    closeSync(pages)
  }
  return Buffer.concat(parts)
}

const PAGE_BYTES = 4_096
/** Bits 63 and 62 of an entry of the page map: in memory, or swapped out. */
const PRESENT = 0xc0

/** Runs of pages that exist; most of what a JavaScript engine maps was never touched. */
function* presentRuns(pages: number, from: number, to: number): Generator<[number, number]> {
  const window = Buffer.alloc(65_536 * 8)
  let start: number | undefined
  for (let at = from; at < to; at += 65_536 * PAGE_BYTES) {
    const count = Math.min(65_536, (to - at) / PAGE_BYTES)
    const bytes = readSync(pages, window, 0, count * 8, BigInt(at / PAGE_BYTES) * 8n)
    for (let page = 0; page < bytes / 8; page++) {
      const isPresent = ((window[page * 8 + 7] ?? 0) & PRESENT) !== 0
      const address = at + page * PAGE_BYTES
      if (isPresent) start ??= address
      else if (start !== undefined) {
        yield [start, address - start]
        start = undefined
      }
    }
  }
  if (start !== undefined) yield [start, to - start]
}

function readRun(memory: number, start: number, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let done = 0; done < bytes; done += CHUNK_BYTES) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, bytes - done))
    try {
      const got = readSync(memory, chunk, 0, chunk.length, BigInt(start + done))
      parts.push(chunk.subarray(0, got))
    } catch {
      // Unmapped meanwhile: the process runs on while it is read.
    }
  }
  return Buffer.concat(parts)
}

function descriptorsOf(pid: number): [string, string][] {
  const names = unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  return names.map((name) => {
    const path = `/proc/${pid}/fd/${name}`
    return [path, unlessGone(() => readlinkSync(path)) ?? '']
  })
}

function filesUnder(folder: string, places: Map<string, Buffer>): void {
  for (const entry of unlessGone(() => readdirSync(folder, { recursive: true, withFileTypes: true })) ?? []) {
    const path = join(entry.parentPath, entry.name)
    places.set(`name of ${path}`, Buffer.from(path))
    if (!entry.isFile()) continue
    const bytes = unlessGone(() => (statSync(path).size <= MAX_FILE_BYTES ? readFileSync(path) : undefined))
    if (bytes !== undefined) places.set(path, bytes)
  }
}

async function exported(container: Docker.Container): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await container.export()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
