import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../config/index.ts'
import { DEFAULT_TENANT } from '../kernel/index.ts'
import { openStorage } from '../storage/index.ts'
import { lockFile } from '../storage/lock/index.ts'
import { STORES } from './compose-stores.ts'
import { openUninstall } from './daemon-uninstall.ts'

describe('uninstall', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-uninstall-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const place = () => readConfig({ DB_PATH: join(folder, 'data', 'proxy.db') })
  async function seed() {
    const { dbPath, masterKey, storage } = place()
    const opened = await openStorage({ database: { path: dbPath }, stores: STORES, onDefect: console.error })
    await opened.forTenant(DEFAULT_TENANT).transaction((tx) => tx.meta.set('instance_id', 'feed'))
    await opened[Symbol.asyncDispose]()
    writeFileSync(masterKey.path, 'key')
    writeFileSync(`${dbPath}.before-restore-2026`, 'old')
    writeFileSync(join(folder, 'data', 'of-the-owner'), 'mine')
    mkdirSync(storage.auditArchiveDirectory)
  }
  function engine() {
    const asked: unknown[] = []
    const removed: string[] = []
    const remove = (id: string) => ({
      remove: async () => {
        if (id === 'oauth3-sandbox-node:0.1.0')
          throw Object.assign(new Error('a container uses it'), { statusCode: 409 })
        removed.push(id)
      },
    })
    const docker = {
      listContainers: async (options: unknown) => {
        asked.push(options)
        return [{ Id: 'c1', Names: ['/oauth3-sandbox-1'] }]
      },
      listVolumes: async (options: unknown) => {
        asked.push(options)
        return { Volumes: [{ Name: 'oauth3-machine-1' }], Warnings: [] }
      },
      listImages: async (options: unknown) => {
        asked.push(options)
        return [
          { Id: 'sha256:aaaaaaaaaaaaaaaa', RepoTags: ['oauth3-sandbox-deno:0.1.0'] },
          { Id: 'sha256:bbbbbbbbbbbbbbbb', RepoTags: ['oauth3-sandbox-node:0.1.0'] },
          { Id: 'sha256:cccccccccccccccc', RepoTags: ['<none>:<none>'] },
        ]
      },
      getContainer: remove,
      getVolume: remove,
      getImage: remove,
    }
    return { docker: docker as unknown as Docker, asked, removed }
  }

  it('takes the containers of this daemon and the images by their labels, and leaves the state', async () => {
    await seed()
    const { docker, asked, removed } = engine()
    using open = await openUninstall(place(), docker)
    expect(asked).toEqual([
      { all: true, filters: { label: ['oauth3.instance=feed'] } },
      { filters: { label: ['oauth3.instance=feed'] } },
      { filters: { label: ['oauth3.runtime'] } },
    ])
    expect(removed).toEqual([])
    expect(open.plan.containers).toEqual(['oauth3-sandbox-1'])
    expect(open.plan.images).toContain('oauth3-sandbox-deno:0.1.0')
    expect(await open.remove({ state: false, files: false })).toEqual([
      'oauth3-sandbox-node:0.1.0: a container uses it',
    ])
    expect(removed).toEqual([
      'c1',
      'oauth3-machine-1',
      'oauth3-sandbox-deno:0.1.0',
      'sha256:cccccccccccccccc',
    ])
    for (const path of open.plan.state) expect(existsSync(path)).toBe(true)
  })

  it('takes the state when told, and of its folder no file of the owner', async () => {
    await seed()
    using open = await openUninstall(place(), engine().docker)
    const { dbPath, masterKey, storage } = place()
    expect(open.plan.state).toEqual(
      expect.arrayContaining([
        dbPath,
        masterKey.path,
        storage.auditArchiveDirectory,
        `${dbPath}.before-restore-2026`,
      ]),
    )
    await open.remove({ state: true, files: false })
    for (const path of open.plan.state) expect(existsSync(path)).toBe(false)
    expect(existsSync(join(folder, 'data', 'of-the-owner'))).toBe(true)
  })

  it('leaves no key and no copy of the database, of acts that a crash ended neither', async () => {
    await seed()
    const { dbPath, masterKey, socketDirectory } = place()
    mkdirSync(join(socketDirectory, '0123456789abcdef'), { recursive: true })
    const left = [
      ...['.4711.draft', '.restore.draft', '.restore.draft-wal', '.copy.draft'].map((end) => dbPath + end),
      ...[`${masterKey.path}.draft`, `${masterKey.path}.next`, `${masterKey.path}.next.draft`],
      ...['machines.key', 'machines.key.new'].map((name) => join(socketDirectory, name)),
    ]
    const mine = ['.csv', '.draft', 'x.4711.draft'].map((end) => dbPath + end)
    for (const path of [...left, ...mine]) writeFileSync(path, 'a')
    {
      using open = await openUninstall(place(), engine().docker)
      await open.remove({ state: true, files: false })
    }
    expect(readdirSync(join(folder, 'data')).sort()).toEqual(
      ['of-the-owner', ...mine.map((path) => basename(path))].sort(),
    )
  })

  it('takes of a folder that others use what it made there', async () => {
    await seed()
    const shared = join(folder, 'shared')
    const settings = { OAUTH3_AUDIT_ARCHIVE_DIR: shared, OAUTH3_SOCKET_DIR: shared }
    const at = readConfig({ DB_PATH: place().dbPath, ...settings })
    const own = ['audit-000000000001-000000000009.jsonl', '0123456789abcdef', 'machines.key']
    for (const name of [...own, 'photos']) mkdirSync(join(shared, name), { recursive: true })
    using open = await openUninstall(at, engine().docker)
    expect(open.plan.state).not.toContain(shared)
    await open.remove({ state: true, files: false })
    expect(readdirSync(shared)).toEqual(['photos'])
  })

  it('keeps the state where files stay, which nothing else tells of', async () => {
    await seed()
    const { dbPath, masterKey } = place()
    writeFileSync(dbPath, 'no database')
    using open = await openUninstall(place(), engine().docker)
    expect(open.plan.files).toBeNull()
    const stayed = await open.remove({ state: true, files: true })
    expect(stayed.slice(-2)).toEqual([
      expect.stringContaining('does not say which are this daemon’s'),
      expect.stringContaining('the state: '),
    ])
    for (const path of [dbPath, masterKey.path]) expect(existsSync(path)).toBe(true)
    await open.remove({ state: true, files: false })
    for (const path of [dbPath, masterKey.path]) expect(existsSync(path)).toBe(false)
  })

  it('is refused while a daemon runs, and keeps one from starting meanwhile', async () => {
    await seed()
    {
      using _daemon = lockFile(place().dbPath)
      await expect(openUninstall(place(), engine().docker)).rejects.toMatchObject({ code: 'conflict' })
    }
    using _open = await openUninstall(place(), engine().docker)
    expect(() => lockFile(place().dbPath)).toThrow(/already runs/)
  })

  it('without an engine says that its things stay', async () => {
    const docker = { listImages: () => Promise.reject(new Error('nobody there')) } as unknown as Docker
    using open = await openUninstall(place(), docker)
    expect(open.plan).toEqual({
      ...{ containers: [], volumes: [], images: [], state: [], engine_problem: 'nobody there' },
      files: { where: join(folder, 'data', 'machine-files'), machines: 0 },
    })
    expect(existsSync(join(folder, 'data'))).toBe(false)
  })
})
