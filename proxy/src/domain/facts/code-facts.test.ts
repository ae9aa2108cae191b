import { expect, test } from 'vitest'
import { type CodeHash, sha256Hex } from '../../kernel/index.ts'
import { createCodeFacts, FACTS_VERSION, type FactsRepository, unreadableFacts } from './code-facts.ts'
import type { CodeFacts } from './facts.ts'

function kit() {
  const stored = new Map<string, CodeFacts>()
  const repository: FactsRepository = {
    get: (hash, language, version) => stored.get(`${hash} ${language} ${version}`),
    put: (hash, language, version, facts) => void stored.set(`${hash} ${language} ${version}`, facts),
  }
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
  return { stored, read, create: () => createCodeFacts({ reader, repository }) }
}

test('a program is read once, and stored only when its request is', async () => {
  const { stored, read, create } = kit()
  const facts = create()
  const first = await facts.of('run()', 'javascript', 'agt_1')
  await facts.of('run()', 'javascript', 'agt_1')
  expect([read, stored.size]).toEqual([['run()'], 0])
  facts.keep('run()', 'javascript', first)
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

test('what was given up for want of time is read again another time, and never stored', async () => {
  const { stored } = kit()
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
  const facts = createCodeFacts({
    reader,
    repository: { get: () => undefined, put: () => stored.set('x', undefined as never) },
  })
  const first = await facts.of('run()', 'javascript', 'agt_1')
  facts.keep('run()', 'javascript', first)
  expect([first.readable, stored.size]).toEqual([false, 0])
  isBusy = false
  expect((await facts.of('run()', 'javascript', 'agt_1')).readable).toBe(true)
})

test('what was never read is told as not readable, so that nothing narrow is made of it', () => {
  const known = kit()
    .create()
    .known(sha256Hex('x') as CodeHash, 'python')
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
  const facts = createCodeFacts({ reader, repository: { get: () => undefined, put() {} } })
  for (const code of ['a', 'b', 'c', 'd', 'e']) await facts.of(code, 'javascript', 'agt_1')
  await facts.of('e', 'javascript', 'agt_1')
  expect(reads).toBe(5)
  await facts.of('a', 'javascript', 'agt_1')
  expect(reads).toBe(6)
})
