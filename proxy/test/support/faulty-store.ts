/** An object store in memory that fails as real ones do. */
import { type ObjectStore, StoreFault } from '../../src/hosting/persistence/stores/index.ts'
import type { Seeded } from './seeded.ts'

export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, Buffer>
}

export function createMemoryStore(objects = new Map<string, Buffer>()): MemoryStore {
  return {
    kind: 's3',
    where: 'memory',
    objects,
    async put(name, bytes, { ifAbsent = false, signal }) {
      signal.throwIfAborted()
      if (ifAbsent && objects.has(name)) return 'exists'
      objects.set(name, Buffer.from(bytes))
      return 'stored'
    },
    async get(name, { offset, bytes }, signal) {
      signal.throwIfAborted()
      return objects.get(name)?.subarray(offset, offset + bytes)
    },
    async *list(prefix) {
      for (const name of [...objects.keys()]) if (name.startsWith(prefix)) yield name
    },
    async remove(name, signal) {
      signal.throwIfAborted()
      objects.delete(name)
    },
    async [Symbol.asyncDispose]() {},
  }
}

export interface FaultyStore extends ObjectStore {
  /** How many of a hundred requests fail. */
  percent: number
  /** So many requests more are made, and then none ever. */
  killAfter: number
  /** Requests that were given up come through now. */
  land(): void
}

const KINDS = ['refused', 'lost answer', 'late'] as const

/**
 * Refuses (500), does it and loses the answer, gives up and does it later (`land`), answers with half a body, and lists what was there
 * before.
 */
export function withFaults(store: MemoryStore, random: Seeded): FaultyStore {
  const late: (() => Promise<unknown>)[] = []
  let listed: string[] = []
  const never = new AbortController().signal

  async function through<T>(act: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    self.killAfter -= 1
    if (self.killAfter < 0) throw new StoreFault('killed', false)
    if (random.below(100) >= self.percent) return act(signal)
    const kind = random.pick(KINDS)
    if (kind === 'lost answer') await act(signal)
    if (kind === 'late') late.push(() => act(never))
    throw new StoreFault(kind, true)
  }
  const self: FaultyStore = {
    percent: 0,
    killAfter: Number.POSITIVE_INFINITY,
    land() {
      for (const act of late.splice(0)) void act()
    },
    kind: 's3',
    where: 'memory',
    put: (name, bytes, how) => {
      const copy = Buffer.from(bytes)
      return through((signal) => store.put(name, copy, { ...how, signal }), how.signal)
    },
    async get(name, part, signal) {
      const whole = await through((each) => store.get(name, part, each), signal)
      return random.below(100) < self.percent / 2 ? whole?.subarray(0, whole.length >> 1) : whole
    },
    async *list(prefix, signal) {
      const isStale = random.below(100) < self.percent * 3
      const names = isStale ? listed : [...store.objects.keys()]
      listed = [...store.objects.keys()]
      for (const name of names) {
        await through(async () => undefined, signal)
        if (name.startsWith(prefix)) yield name
      }
    },
    remove: (name, signal) => through((each) => store.remove(name, each), signal),
    async [Symbol.asyncDispose]() {},
  }
  return self
}
