/** What the engine is given to build a runtime's image from: the folder's files, and what npm installed for it. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { type ImageSource, packageFile, runtimeFile } from '../runtimes/index.ts'
import { fetchPackages } from './fetch-packages.ts'
import { type TarFile, tarStream } from './tar.ts'

export async function contextOf(
  source: ImageSource,
  arch: string,
  log: (line: string) => void,
): Promise<TarFile[]> {
  const fetches = source.fetchesModules === true || source.binaries.some(({ isFetched }) => isFetched)
  const fetched = fetches ? await fetchPackages(source, arch, log) : undefined
  const lock = fetched && createHash('sha256').update(readFileSync(runtimeFile(source, 'package-lock.json')))
  const pin = lock && `${arch} ${lock.digest('hex')}`
  return [
    { name: 'Dockerfile', source: runtimeFile(source, 'Dockerfile') },
    ...source.binaries.map((binary) => ({
      name: binary.name,
      source: binaryFor(source, binary, arch, fetched),
      executable: source.isClosed === true ? ('only' as const) : true,
      pin: binary.isFetched === true ? pin : undefined,
    })),
    ...source.files.map((file) => ({ name: basename(file), source: runtimeFile(source, file) })),
    ...(source.libraries ?? []).flatMap(libraryFiles),
    ...(source.fetchesModules === true ? moduleFiles(fetched ?? '').map((file) => ({ ...file, pin })) : []),
  ]
}

/**
 * SHA-256 over the files, and the base image that lends the rest. Of what npm checked against a lock file the lock file counts, and
 * not the bytes: there are 60,000 files of OpenClaw, whose reading takes half a minute.
 */
export async function contextDigest(files: readonly TarFile[], baseId: string): Promise<string> {
  const hash = createHash('sha256').update(baseId)
  for (const file of files) {
    const { name, executable = false, pin } = file
    if (pin === undefined) for await (const part of tarStream([file])) hash.update(part)
    else hash.update(JSON.stringify([name, executable, pin]))
  }
  return hash.digest('hex')
}

/** Of the machine field of an ELF file, by the engine's name for the architecture. */
const ELF_MACHINES: Readonly<Record<string, number>> = { amd64: 0x3e, arm64: 0xb7 }

function binaryFor(
  source: ImageSource,
  binary: ImageSource['binaries'][number],
  arch: string,
  fetched: string | undefined,
): string {
  const packageName = binary.packages[arch]
  if (packageName === undefined) {
    throw new Error(`The image ${source.name} has no binary for an engine on ${arch}.`)
  }
  const file = binary.file ?? binary.name
  if (binary.isFetched === true) {
    const path = join(fetched ?? '', 'node_modules', packageName, file)
    if (existsSync(path) && isForEngine(path, arch)) return path
    throw new Error(`The package ${packageName} holds no ${file} for an engine on ${arch}.`)
  }
  for (const name of [packageName, ...(binary.ownPackage === undefined ? [] : [binary.ownPackage])]) {
    const path = packageFile(name, file)
    if (path !== undefined && isForEngine(path, arch)) return path
  }
  throw new Error(
    `The package ${packageName} is not installed; run: npm install --no-save --force ${packageName} (same version as ${source.name})`,
  )
}

/** A package may hold the binary of the machine that it was installed on, which need not be like the engine's. */
function isForEngine(path: string, arch: string): boolean {
  const head = Buffer.alloc(20)
  const file = openSync(path, 'r')
  try {
    readSync(file, head, 0, head.length, 0)
  } finally {
    closeSync(file)
  }
  return head.subarray(0, 4).equals(Buffer.from('\x7fELF')) && head.readUInt16LE(18) === ELF_MACHINES[arch]
}

/** Everything of a package that a program may load, at its place below node_modules. */
function libraryFiles(packageName: string): TarFile[] {
  const manifest = packageFile(packageName, 'package.json')
  if (manifest === undefined) throw new Error(`The package ${packageName} is not installed; run: npm ci`)
  const folder = dirname(manifest)
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|\/)(?:package\.json|LICENSE)$|\.(?:mjs|wasm)$/.test(name))
    .sort()
    .map((name) => ({ name: `node_modules/${packageName}/${name}`, source: join(folder, name) }))
}

/** For people who write programs against a package: no program loads them, and they are a quarter of all bytes. */
const FOR_PEOPLE = /\.(?:d\.[cm]?ts|map)$/
/** Programs of packages by their names, as links; nobody calls them. */
const LINKS = /(?:^|\/)\.bin\//

function moduleFiles(folder: string): TarFile[] {
  return readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: relative(folder, path), source: path }))
    .filter(({ name }) => !LINKS.test(name) && (!FOR_PEOPLE.test(name) || name.includes('/typescript/lib/')))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((file) => ({ ...file, executable: (statSync(file.source).mode & 0o100) !== 0 }))
}
