import { expect, test } from 'vitest'
import { createUnitDouble } from '../../../test/support/unit-double.ts'
import { type CodeHash, type Storage, sha256Hex } from '../../kernel/index.ts'
import { createCodeFacts, FACTS_VERSION, unreadableFacts } from './code-facts.ts'
import type { CodeFacts } from './facts.ts'

function kit() {
  const stored = new Map<string, CodeFacts>()
  const storage = createUnitDouble({
    facts: {
      get: async (hash, language, version) => stored.get(`${hash} ${language} ${version}`),
      put: async (hash, language, version, facts) => void stored.set(`${hash} ${language} ${version}`, facts),
    },
  })
  const read: string[] = []
  const reader = {
    async read(code: string) {
      read.push(code)
      return {
        language: 'javascript' as const,
        readable: true,
        requests: [],
        dangers: [],
        secrets: [],
        imports: [],
      }
    },
    async [Symbol.asyncDispose]() {},
  }
  return {
    storage,
    stored,
    read,
    create: (by: Pick<Storage, 'read'> = storage) => createCodeFacts({ reader, storage: by }),
  }
}

test('a program is read once, and stored only when its request is', async () => {
  const { storage, stored, read, create } = kit()
  const facts = create()
  const first = await facts.of('run()', 'javascript', 'agt_1')
  await facts.of('run()', 'javascript', 'agt_1')
  expect([read, stored.size]).toEqual([['run()'], 0])
  await storage.transaction((tx) => facts.keep(tx, 'run()', 'javascript', first))
  expect([...stored.keys()]).toEqual([`${sha256Hex('run()')} javascript ${FACTS_VERSION}`])
  await create().of('run()', 'javascript', 'agt_1')
  expect(read).toHaveLength(1)
})

test('many who ask for the same program at once wait for one reading of it', async () => {
  const { read, create } = kit()
  const facts = create()
  await Promise.all(Array.from({ length: 200 }, () => facts.of('run()', 'javascript', 'agt_1')))
  expect(read).toHaveLength(1)
})

test('who looked for the facts of a program while it was being read does not read it once more', async () => {
  const { storage, read, create } = kit()
  const slow = Promise.withResolvers<void>()
  let looked = 0
  const facts = create({
    async read(work) {
      const found = await storage.read(work)
      looked += 1
      if (looked === 2) await slow.promise
      return found
    },
  })
  const first = facts.of('run()', 'javascript', 'agt_1')
  const second = facts.of('run()', 'javascript', 'agt_2')
  await first
  slow.resolve()
  await second
  expect(read).toHaveLength(1)
})

test('what was given up for want of time is read again another time, and never stored', async () => {
  const { storage, stored } = kit()
  let isBusy = true
  const reader = {
    read: async () =>
      isBusy
        ? unreadableFacts('javascript', 'reading it takes too long')
        : {
            language: 'javascript' as const,
            readable: true,
            requests: [],
            dangers: [],
            secrets: [],
            imports: [],
          },
    async [Symbol.asyncDispose]() {},
  }
  const facts = createCodeFacts({ reader, storage })
  const first = await facts.of('run()', 'javascript', 'agt_1')
  await storage.transaction((tx) => facts.keep(tx, 'run()', 'javascript', first))
  expect([first.readable, stored.size]).toEqual([false, 0])
  isBusy = false
  expect((await facts.of('run()', 'javascript', 'agt_1')).readable).toBe(true)
})

test('what was never read is told as not readable, so that nothing narrow is made of it', async () => {
  const { storage, create } = kit()
  const known = await storage.read((tx) => create().known(tx, sha256Hex('x') as CodeHash, 'python'))
  expect(known).toMatchObject({ language: 'python', readable: false, dangers: [{ kind: 'unreadable_code' }] })
})

test('the same bytes in another language are another program', async () => {
  const { read, create } = kit()
  const facts = create()
  await facts.of('x', 'javascript', 'agt_1')
  await facts.of('x', 'python', 'agt_1')
  expect(read).toHaveLength(2)
})

test('facts that take much are not kept by their number alone', async () => {
  let reads = 0
  const detail = 'x'.repeat(5 * 1_048_576)
  const reader = {
    async read(): Promise<CodeFacts> {
      reads += 1
      return { ...unreadableFacts('javascript', detail), unread: undefined as never }
    },
    async [Symbol.asyncDispose]() {},
  }
  const facts = createCodeFacts({ reader, storage: kit().storage })
  for (const code of ['a', 'b', 'c', 'd', 'e']) await facts.of(code, 'javascript', 'agt_1')
  await facts.of('e', 'javascript', 'agt_1')
  expect(reads).toBe(5)
  await facts.of('a', 'javascript', 'agt_1')
  expect(reads).toBe(6)
})

test('facts that were deleted while they were looked up are stored again with the next request', async () => {
  const { storage, stored, create } = kit()
  await storage.transaction(async (tx) => {
    await create().keep(tx, 'run()', 'javascript', await create().of('run()', 'javascript', 'agt_1'))
  })
  const facts = create({
    read: (work) =>
      storage.read((tx) =>
        work({
          ...tx,
          facts: {
            async get(hash, language, version) {
              const found = await tx.facts.get(hash, language, version)
              stored.clear()
              facts.forget(hash)
              return found
            },
          },
        }),
      ),
  })
  const found = await facts.of('run()', 'javascript', 'agt_1')
  await storage.transaction((tx) => facts.keep(tx, 'run()', 'javascript', found))
  expect(stored.size).toBe(1)
})
