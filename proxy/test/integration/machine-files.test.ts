import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { composePersistence } from '../../src/compose/compose-persistence.ts'
import { openObjectStore, type Persistence } from '../../src/hosting/persistence/index.ts'
import { DEFAULT_TENANT, systemClock } from '../../src/kernel/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { DENO, imageTag } from '../../src/sandbox/runtimes/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { file as fileOf, folder as folderOf, packed } from '../support/machine-volumes.ts'
import { createPersistenceKit, openVault, type PersistenceKit, PLACE } from '../support/persistence-kit.ts'

const docker = await dockerOrSkip()
const NEVER = new AbortController().signal

describe.skipIf(!docker.available)(`files of machines on the engine ${docker.reason}`, () => {
  const engine = createEngineClient()
  const nameOf = (machine: string): string => `machine-files-${process.pid}-${machine}`
  const refOf = (machine: string) => ({ tenant: DEFAULT_TENANT, machine, generation: 1 })
  let folder: string
  let kit: PersistenceKit
  let persistence: Persistence
  const made: string[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'machine-files-'))
    kit = await createPersistenceKit()
    persistence = await composePersistence({
      config: { objectStore: { url: join(folder, 'objects'), keyId: null, secret: null } },
      docker: engine,
      containerOf: ({ machine }) => nameOf(machine),
      place: PLACE,
      clock: systemClock,
      log: (message) => expect.unreachable(message),
    })
    persistence.open({ storage: kit.database.storage, vault: openVault })
  })
  afterAll(async () => {
    for (const machine of made) await purge(machine)
    await persistence[Symbol.asyncDispose]()
    await kit[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  /** As a driver makes one: a root that is read-only, and a volume. */
  async function create(machine: string): Promise<void> {
    made.push(machine)
    await engine.createContainer({
      name: nameOf(machine),
      Image: imageTag(DENO),
      User: `${PLACE.owner}:${PLACE.owner}`,
      Entrypoint: ['/bin/deno', 'eval', 'setInterval(() => {}, 1e6)'],
      HostConfig: {
        ReadonlyRootfs: true,
        NetworkMode: 'none',
        Mounts: [
          {
            Type: 'volume',
            Source: nameOf(machine),
            Target: PLACE.mount,
            VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
          },
        ],
      },
    })
  }
  async function purge(machine: string): Promise<void> {
    await engine
      .getContainer(nameOf(machine))
      .remove({ force: true })
      .catch(() => {})
    await engine
      .getVolume(nameOf(machine))
      .remove()
      .catch(() => {})
  }
  /** Packed by GNU tar, unpacked by the engine. */
  const put = (machine: string, from: string): Promise<unknown> =>
    engine.getContainer(nameOf(machine)).putArchive(
      Readable.from(
        execFileSync('tar', ['-c', '-C', from, '--owner=65532', '--group=65532', 'home'], {
          maxBuffer: 64 * 1_048_576,
        }),
      ),
      {
        path: PLACE.mount,
      },
    )
  /** Packed by the engine, unpacked by GNU tar; what `find` says of it. */
  async function listed(machine: string): Promise<string> {
    const to = mkdtempSync(join(folder, 'out-'))
    const archive = (await engine
      .getContainer(nameOf(machine))
      .getArchive({ path: `${PLACE.mount}/home` })) as unknown as Readable
    const pieces: Buffer[] = []
    for await (const piece of archive) pieces.push(piece as Buffer)
    execFileSync('tar', ['-xp', '-C', to], { input: Buffer.concat(pieces) })
    return listOf(to)
  }

  it('come back as they were: links, modes, times, empty folders, holes, names of any bytes', async () => {
    const from = mkdtempSync(join(folder, 'in-'))
    fill(join(from, 'home'))
    await create('whole')
    expect(await persistence.restore(refOf('whole'), NEVER)).toBe('ready')
    await put('whole', from)
    const before = await listed('whole')
    expect(before).toBe(listOf(from))
    await persistence.save(refOf('whole'), NEVER)
    await purge('whole')
    await create('whole')
    expect(await persistence.restore(refOf('whole'), NEVER)).toBe('ready')
    expect(await listed('whole')).toBe(before)
    // Files that a start has used stay, whatever is kept.
    writeFileSync(join(from, 'home', 'newer'), 'newer')
    await put('whole', from)
    expect(await persistence.restore({ ...refOf('whole'), generation: 2 }, NEVER)).toBe('ready')
    expect(await listed('whole')).toContain('newer')
  })

  it('come into a container that is up by then, and are a half until the last of them is there', async () => {
    const from = mkdtempSync(join(folder, 'in-'))
    fill(join(from, 'home'))
    await create('beside')
    await persistence.restore(refOf('beside'), NEVER)
    await put('beside', from)
    const before = await listed('beside')
    await persistence.save(refOf('beside'), NEVER)
    await purge('beside')
    await create('beside')
    const ref = { ...refOf('beside'), generation: 2 }
    let isHalf: boolean | undefined
    const begun = async (): Promise<void> => {
      isHalf = await persistence.isHalf(ref, NEVER)
      await engine.getContainer(nameOf('beside')).start()
    }
    expect(await persistence.restore(ref, NEVER, begun)).toBe('ready')
    expect(isHalf).toBe(true)
    expect(await persistence.isHalf(ref, NEVER)).toBe(false)
    expect((await engine.getContainer(nameOf('beside')).inspect()).State.Running).toBe(true)
    expect(await listed('beside')).toBe(before)
  })

  it('lead nowhere else: a link that the engine refuses to unpack says the same from the root', async () => {
    const links = {
      absolute: '/etc',
      root: '/proc/1/root',
      up: '..',
      dangling: 'nowhere',
      out: '../../../../../../../../../tmp/out-of-it',
    }
    const volume = kit.volumes.of('hostile')
    volume.set('home', folderOf()).set('home/deep', folderOf()).set('home/.wh.deep', fileOf('no whiteout'))
    for (const [name, target] of Object.entries(links))
      volume.set(`home/deep/${name}`, { ...folderOf(), kind: 'symlink', mode: 0o777, target })
    await create('hostile')
    const asIs = engine
      .getContainer(nameOf('hostile'))
      .putArchive(Readable.from(packed(volume, 'home')), { path: PLACE.mount })
    await expect(asIs).rejects.toThrow(/breakout|invalid symlink|outside/)
    await purge('hostile')

    await create('hostile')
    const from = await kit.open({ objects: openObjectStore({ url: join(folder, 'objects') }) })
    await from.save(refOf('hostile'), NEVER)
    await persistence.restore(refOf('hostile'), NEVER)
    const there = await listed('hostile')
    for (const target of [links.absolute, links.root, links.up, links.dangling, '/tmp/out-of-it'])
      expect(there).toContain(`|${target}|`)
    expect(there).toContain('.wh.deep')
  })

  it('are refused by whatever stands in another one’s way, and nothing of them is written', async () => {
    const volume = kit.volumes.of('through')
    volume.set('home', folderOf())
    volume.set('home/link', { ...folderOf(), kind: 'symlink', mode: 0o777, target: '/state' })
    volume.set('home/link/.files', fileOf('{}'))
    const from = await kit.open({ objects: openObjectStore({ url: join(folder, 'objects') }) })
    await expect(from.save(refOf('through'), NEVER)).rejects.toThrow('no folder of its own')
  })
})

function fill(home: string): void {
  mkdirSync(join(home, 'empty'), { recursive: true })
  mkdirSync(join(home, 'a', 'b'), { recursive: true })
  writeFileSync(join(home, 'a', 'b', 'text'), 'text')
  writeFileSync(join(home, 'a', 'large'), Buffer.alloc(3_000_000, 'large '))
  writeFileSync(join(home, 'nothing'), '')
  writeFileSync(join(home, 'run.sh'), '#!/bin/sh\n')
  chmodSync(join(home, 'run.sh'), 0o755)
  writeFileSync(join(home, 'secret'), 'x')
  chmodSync(join(home, 'secret'), 0o400)
  mkdirSync(join(home, 'closed'), { mode: 0o700 })
  linkSync(join(home, 'a', 'b', 'text'), join(home, 'second name'))
  symlinkSync('a/b/text', join(home, 'link'))
  symlinkSync('x'.repeat(300), join(home, 'long link'))
  writeFileSync(join(home, 'hole'), 'x')
  truncateSync(join(home, 'hole'), 2_000_000)
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(home, 'pipe')])
  for (const name of ['ü日', ' ', '-rf', 'new\nline', '"quote"', 'back\\slash', `${'n'.repeat(250)}`])
    writeFileSync(join(home, name), name)
  writeFileSync(Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff, 0xfe, 0x80])]), 'no text')
  const long = join(home, ...Array.from({ length: 12 }, () => 'd'.repeat(30)))
  mkdirSync(long, { recursive: true })
  writeFileSync(join(long, 'deep'), 'deep')
  lutimesSync(join(home, 'a', 'b', 'text'), 1_234_567_890, 1_234_567_890)
  lutimesSync(join(home, 'empty'), 1_000_000_000, 1_000_000_000)
}

/** Path, kind, mode, whole seconds, links, length and where a symlink leads; then the contents. */
function listOf(root: string): string {
  const format = '%P|%y|%m|%Ts|%n|%l|%s\\0'
  const found = execFileSync('find', ['home', '-mindepth', '1', '-printf', format], {
    cwd: root,
    encoding: 'latin1',
  })
  const facts = found
    .split('\0')
    // A folder's length is the file system's own.
    .map((line) => (line.includes('|d|') ? line.replace(/\|\d+\|\|\d+$/, '') : line))
    .sort()
  const sums = execFileSync('sh', ['-c', 'find home -type f -print0 | sort -z | xargs -0 sha256sum'], {
    cwd: root,
    encoding: 'latin1',
  })
  return `${facts.join('\n')}\n${sums}`
}
