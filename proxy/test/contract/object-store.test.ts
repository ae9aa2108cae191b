import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openObjectStore } from '../../src/hosting/persistence/index.ts'
import {
  createS3Client,
  honoursConditions,
  type ObjectStore,
} from '../../src/hosting/persistence/stores/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { file, folder as folderOf, treeOf } from '../support/machine-volumes.ts'
import { createPersistenceKit } from '../support/persistence-kit.ts'
import { type S3Double, startS3Double } from '../support/s3-double.ts'
import { startSwift, withoutSwift } from '../support/swift.ts'

const NEVER = new AbortController().signal
const ALL = { offset: 0, bytes: 1_000_000 }
const KEY_ID = 'test:tester'
const SECRET = 'not-a-real-secret'
const HASTE = { pauseMs: 1, timeoutMs: 2_000 }

interface Opened extends AsyncDisposable {
  readonly store: ObjectStore
  readonly honoursConditions: boolean
}

const s3At = (endpoint: string, secret = SECRET, bucket = 'machines'): ObjectStore =>
  openObjectStore({
    url: `s3://${bucket}/some/prefix?endpoint=${encodeURIComponent(endpoint)}`,
    keyId: KEY_ID,
    secret: new SecretValue(secret),
    retries: HASTE,
  })

const STORES: Record<string, { skip?: string | undefined; open(): Promise<Opened> }> = {
  'a folder': {
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'objects-'))
      const remove = async (): Promise<void> => rmSync(folder, { recursive: true, force: true })
      return {
        store: openObjectStore({ url: folder }),
        honoursConditions: true,
        [Symbol.asyncDispose]: remove,
      }
    },
  },
  'S3, played at the wire': {
    async open() {
      const double = await startS3Double(KEY_ID, SECRET)
      return {
        store: s3At(double.endpoint),
        honoursConditions: true,
        [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
      }
    },
  },
  'OpenStack Swift': {
    skip: withoutSwift(),
    async open() {
      const swift = await startSwift(KEY_ID, SECRET)
      const place = { bucket: 'machines', prefix: '', endpoint: swift.endpoint, region: 'us-east-1' }
      await using client = createS3Client(place, { keyId: KEY_ID, secret: new SecretValue(SECRET) })
      const made = await client.ask({ method: 'PUT', name: '', maxBytes: 65_536, signal: NEVER })
      expect(made.status).toBe(200)
      return {
        store: s3At(swift.endpoint),
        honoursConditions: false,
        [Symbol.asyncDispose]: () => swift[Symbol.asyncDispose](),
      }
    },
  },
}

describe.each(Object.entries(STORES))('%s as an object store', (_name, { skip, open }) => {
  describe.skipIf(skip !== undefined)(skip ?? 'that is there', () => {
    let opened: Opened
    let store: ObjectStore
    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(async () => {
      await store[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
    })
    const names = async (prefix: string): Promise<string[]> => {
      const all: string[] = []
      for await (const name of store.list(prefix, NEVER)) all.push(name)
      return all.sort()
    }

    it('keeps bytes under a name, and gives back the part that is asked for', async () => {
      const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 256))
      expect(await store.put('bytes/one', bytes, { signal: NEVER })).toBe('stored')
      expect(await store.get('bytes/one', ALL, NEVER)).toEqual(bytes)
      expect(await store.get('bytes/one', { offset: 300, bytes: 10 }, NEVER)).toEqual(
        bytes.subarray(300, 310),
      )
      expect(await store.get('bytes/one', { offset: 990, bytes: 50 }, NEVER)).toEqual(bytes.subarray(990))
      expect(await store.get('bytes/one', { offset: 1_000, bytes: 1 }, NEVER)).toHaveLength(0)
      expect(await store.get('bytes/none', ALL, NEVER)).toBeUndefined()
      expect(await store.get('bytes/one/more', ALL, NEVER)).toBeUndefined()
    })

    it('lists what begins with a prefix, all pages of it, and no other', async () => {
      const mine = Array.from({ length: 8 }, (_, at) => `list/mine/${at}-_A`)
      for (const name of [...mine, 'list/mine2/x', 'other/mine/x'])
        await store.put(name, Buffer.from(name), { signal: NEVER })
      expect(await names('list/mine/')).toEqual(mine)
      expect(await names('list/none/')).toEqual([])
    })

    it('removes, also what is not there', async () => {
      await store.put('gone/one', Buffer.from('x'), { signal: NEVER })
      await store.remove('gone/one', NEVER)
      await store.remove('gone/one', NEVER)
      expect(await store.get('gone/one', ALL, NEVER)).toBeUndefined()
      expect(await names('gone/')).toEqual([])
    })

    it('is asked whether it honours conditions, and nothing of that is left', async () => {
      expect(await honoursConditions(store, NEVER)).toBe(opened.honoursConditions)
      expect(await names('probe/')).toEqual([])
    })

    it.each(['../x/y', 'a/../b', 'a/./b', 'a//b', 'a/b.', '/a/b', 'a/b/', 'a/%2e%2e/b', 'a/ü', 'a', 'a/b\n'])(
      'takes no name that another one could be read as: %j',
      async (name) => {
        await expect(store.put(name, Buffer.from('x'), { signal: NEVER })).rejects.toThrow('not a name')
        await expect(store.get(name, ALL, NEVER)).rejects.toThrow('not a name')
        await expect(store.remove(name, NEVER)).rejects.toThrow('not a name')
      },
    )

    it('lets go when it is told to', async () => {
      const aborted = AbortSignal.abort(new Error('enough'))
      await expect(store.put('abort/a', Buffer.from('x'), { signal: aborted })).rejects.toThrow('enough')
      await expect(store.get('abort/a', ALL, aborted)).rejects.toThrow('enough')
    })

    it('carries a machine through a sleep', async () => {
      await using kit = await createPersistenceKit()
      const persistence = await kit.open({ objects: store })
      const ref = { tenant: kit.database.storage.tenant, machine: 'mch_contract', generation: 1 }
      const volume = kit.volumes.of(ref.machine)
      volume
        .set('home', folderOf())
        .set('home/a', file('a'.repeat(100_000)))
        .set('home/b', file('b'))
      const before = treeOf(volume)
      await persistence.save(ref, NEVER)
      kit.volumes.purge(ref.machine)
      expect(await persistence.restore({ ...ref, generation: 2 }, NEVER)).toBe('ready')
      expect(treeOf(kit.volumes.of(ref.machine))).toEqual(before)
      await persistence.settled()
      expect(kit.logged).toEqual([])
    })
  })
})

describe('a bucket', () => {
  let double: S3Double
  let store: ObjectStore
  beforeAll(async () => {
    double = await startS3Double(KEY_ID, SECRET)
    store = s3At(double.endpoint)
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await double[Symbol.asyncDispose]()
  })

  it.each(['unavailable', 'slow down', 'reset', 'half a body', 'silent'] as const)(
    'that fails once (%s) is asked again',
    async (fault) => {
      await store.put('fault/a', Buffer.from('whole'), { signal: NEVER })
      double.faults.push(fault)
      expect((await store.get('fault/a', ALL, NEVER))?.toString()).toBe('whole')
      expect(double.faults).toEqual([])
    },
  )

  it('that did it and lost the answer is asked again, and says that it is there', async () => {
    double.faults.push('done and reset')
    expect(await store.put('fault/b', Buffer.from('b'), { ifAbsent: true, signal: NEVER })).toBe('exists')
    expect((await store.get('fault/b', ALL, NEVER))?.toString()).toBe('b')
  })

  it('that gives half a list gives none', async () => {
    await store.put('half/a', Buffer.from('b'), { signal: NEVER })
    double.faults.push('half a list')
    const all = async (): Promise<void> => {
      for await (const _ of store.list('half/', NEVER));
    }
    await expect(all()).rejects.toThrow('half a list')
  })

  it.each(['endlessly', 'nowhere'] as const)('that says %s that more comes gives no list', async (how) => {
    await store.put('more/a', Buffer.from('b'), { signal: NEVER })
    double.truncates = how
    const all = async (): Promise<void> => {
      for await (const _ of store.list('more/', NEVER));
    }
    await expect(all()).rejects.toThrow('without an end')
    double.truncates = undefined
  })

  it('that ignores conditions shows it', async () => {
    double.ignoresConditions = true
    expect(await honoursConditions(store, NEVER)).toBe(false)
    double.ignoresConditions = false
  })

  it('that refuses the key or does not exist is not asked again, and no secret is in what is said of it', async () => {
    const before = double.asked.length
    await using wrong = s3At(double.endpoint, 'another-secret')
    await expect(wrong.get('a/b', ALL, NEVER)).rejects.toThrow(
      'The store answers 403 (SignatureDoesNotMatch).',
    )
    await using missing = s3At(double.endpoint, SECRET, 'missing')
    await expect(missing.get('a/b', ALL, NEVER)).rejects.toThrow('The store answers 404 (NoSuchBucket).')
    await expect(missing.remove('a/b', NEVER)).rejects.toThrow('NoSuchBucket')
    expect(double.asked.length - before).toBe(3)
  })

  it.each([
    ['http://169.254.169.254', 'none that may be dialled'],
    ['https://[fe80::1]', 'none that may be dialled'],
    ['http://192.0.2.7', 'none that may be dialled'],
    ['http://93.184.216.34', 'none that may be dialled'],
  ])('is not looked for at %s', async (endpoint, why) => {
    await using elsewhere = s3At(endpoint)
    await expect(elsewhere.get('a/b', ALL, NEVER)).rejects.toThrow(why)
  })

  it.each([
    's3://',
    's3://Bucket',
    's3://b/',
    's3://bucket/a/../b.c',
    's3://bucket?endpoint=ftp://host',
    's3://bucket?endpoint=https://host/path',
    's3://bucket?endpoint=https://user:word@host',
    's3://key:word@bucket',
    's3://bucket?region=%0a',
    's3://bucket?acl=public',
  ])('has no address of the form %s', (url) => {
    expect(() => openObjectStore({ url, keyId: KEY_ID, secret: new SecretValue(SECRET) })).toThrow(
      'OBJECT_STORE_URL',
    )
  })

  it('that takes connections and says nothing is given up in time', async () => {
    const mute: Socket[] = []
    const front = createServer((socket) => void mute.push(socket.on('error', () => {})))
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.2', resolve))
    const { port } = front.address() as AddressInfo
    await using store = openObjectStore({
      url: `s3://machines/p?endpoint=${encodeURIComponent(`https://store.example:${port}`)}`,
      keyId: KEY_ID,
      secret: new SecretValue(SECRET),
      retries: { ...HASTE, attempts: 2 },
      client: { resolve: async () => ['127.0.0.2'], silenceMs: 200 },
    })
    const asked = store.get('a/b', ALL, AbortSignal.timeout(60_000))
    await expect(asked).rejects.toThrow('no whole answer')
    expect(mute.length).toBeGreaterThan(0)
    for (const socket of mute) socket.destroy()
    front.close()
  })

  it('needs a key', () => {
    expect(() => openObjectStore({ url: 's3://bucket' })).toThrow('AWS_ACCESS_KEY_ID')
  })
})

it('a folder has no half objects, is its owner’s alone, and keeps no empty folders', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'objects-'))
  try {
    const store = openObjectStore({ url: folder })
    await store.put('a/b/c', Buffer.from('x'), { signal: NEVER })
    expect(statSync(join(folder, 'a/b/c')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
    const cut = new AbortController()
    const put = store.put('a/b/d', Buffer.alloc(8_000_000), { signal: cut.signal })
    cut.abort(new Error('cut'))
    await expect(put).rejects.toThrow()
    expect(await store.get('a/b/d', ALL, NEVER)).toBeUndefined()
    await store.remove('a/b/c', NEVER)
    expect(await readdir(folder)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
