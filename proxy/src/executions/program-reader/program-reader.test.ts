import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patience } from '../../../test/support/pace.ts'
import type { ProgramReader } from '../facts/index.ts'
import { createProgramReader } from './program-reader.ts'

let reader: ProgramReader
beforeAll(() => {
  reader = createProgramReader()
})
afterAll(async () => {
  await reader[Symbol.asyncDispose]()
})

const MEBIBYTE = 1_048_576
const fill = (text: string): string => text.repeat(Math.floor(MEBIBYTE / text.length))

describe('a program', () => {
  test('is read in its language, many at once, each answer to its own program', async () => {
    const [first, second, third] = await Promise.all([
      reader.read('await fetch("https://a.example/v1", { method: "POST" })', 'javascript', 'agt_1'),
      reader.read('import urllib.request\nurllib.request.urlopen("https://b.example/v2")', 'python', 'agt_1'),
      reader.read('await fetch("https://c.example/v3")', 'javascript', 'agt_1'),
    ])
    expect(first.requests).toMatchObject([{ host: 'a.example', method: 'POST', path: '/v1' }])
    expect(second.requests).toMatchObject([{ host: 'b.example', method: 'GET', path: '/v2' }])
    expect(third.requests).toMatchObject([{ host: 'c.example', method: 'GET', path: '/v3' }])
  })

  test('that takes too long is told as not readable, and the next is read', async () => {
    await using short = createProgramReader({ timeLimitMs: 1 })
    await short.read('1', 'javascript', 'agt_1')
    const slow = await short.read(fill('f(1);'), 'javascript', 'agt_1')
    expect(slow).toMatchObject({
      readable: false,
      dangers: [{ kind: 'unreadable_code', detail: expect.stringContaining('too long') }],
    })
    await using patient = createProgramReader()
    expect(await patient.read('await fetch("https://a.example/")', 'javascript', 'agt_1')).toMatchObject({
      readable: true,
    })
  })

  test('never holds up the event loop', async () => {
    let ticks = 0
    const timer = setInterval(() => {
      ticks += 1
    }, 5)
    await reader.read(
      fill('const a = { b: [1, 2, "x"], c() { return fetch("https://a.example/" + this.b) } };\n'),
      'javascript',
      'agt_1',
    )
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(5)
  })

  test.each<[string, 'javascript' | 'python', string]>([
    ['brackets', 'javascript', fill('[')],
    ['functions in functions', 'javascript', fill('(()=>')],
    ['calls of calls', 'javascript', `f${fill('()')}`],
    ['a chain of additions', 'javascript', `x = ${fill('"a"+')}"b"`],
    ['templates in templates', 'javascript', fill('`${')],
    ['functions that call one another', 'javascript', fill('function f(a){return f(f(a+1)+f(a+2))}\n')],
    ['unions', 'javascript', `let a = "";${fill('a = c ? a + "x" : a + "y";')}fetch(a)`],
    ['a regular expression', 'javascript', `/${fill('(a|')}/`],
    ['types', 'javascript', `let a: ${fill('A<')}`],
    ['parentheses', 'python', fill('(')],
    ['blocks', 'python', Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}if a:\n`).join('')],
    ['functions', 'python', fill('def f(a): return f(f(a))\n')],
    ['conditions', 'python', `x = ${fill('a if b else ')}c`],
    ['texts in texts', 'python', fill('f"{')],
    ['line ends', 'python', fill('\\\n')],
    ['nothing but NUL', 'javascript', fill('\0')],
    ['lines', 'javascript', fill('\n')],
  ])('of a mebibyte of %s comes to an end, and the daemon lives', async (_what, language, code) => {
    const facts = await reader.read(code, language, 'agt_1')
    expect(facts.language).toBe(language)
    const after = await reader.read('await fetch("https://a.example/v1")', 'javascript', 'agt_1')
    expect(after.requests).toMatchObject([{ host: 'a.example' }])
  })
})

test('one who asks for much holds nobody else up for more than one program, and is told when it is too much', async () => {
  await using own = createProgramReader()
  const done: string[] = []
  // Longer each than a thread takes to its first.
  const busy = Array.from({ length: 17 }, (_, index) =>
    own.read(`f(${index});`.repeat(12_000), 'javascript', 'agt_busy').then(() => done.push('busy')),
  )
  const other = own.read('g()', 'javascript', 'agt_other').then(() => done.push('other'))
  await other
  expect(done.length).toBeLessThanOrEqual(3)
  await Promise.all(busy)
  const flood = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => own.read(`h(${index})`, 'javascript', 'agt_busy')),
  )
  const refused = flood.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(40 - 17)
  expect(refused[0]).toMatchObject({ reason: { code: 'rate_limited' } })
})

test('programs that take long are read apart, so that a usual one waits for none of them', async () => {
  await using own = createProgramReader()
  await own.read('1', 'javascript', 'agt_other')
  const done: string[] = []
  const slow = Array.from({ length: 3 }, (_, index) =>
    own.read(`${fill('/*a*/')}f(${index})`, 'javascript', `agt_${index}`).then(() => done.push('slow')),
  )
  await own.read('g()', 'javascript', 'agt_other').then(() => done.push('other'))
  expect(done).toEqual(['other'])
  await Promise.all(slow)
})

test('a mebibyte of line feeds is read in every language', async () => {
  await using own = createProgramReader({ timeLimitMs: patience(15_000) })
  for (const language of ['javascript', 'python'] as const) {
    expect(await own.read(`${fill('\n')}f()`, language, 'agt_1')).toMatchObject({ readable: true })
  }
})

test('what waits when the daemon stops is told so', async () => {
  const own = createProgramReader()
  const waiting = [own.read(fill('f(1);'), 'javascript', 'agt_1'), own.read('1', 'javascript', 'agt_1')].map(
    (one) =>
      one.then(
        () => 'read',
        (error: Error) => error.message,
      ),
  )
  await own[Symbol.asyncDispose]()
  expect(await Promise.all(waiting)).toContain('The daemon is stopping.')
  await expect(own.read('1', 'javascript', 'agt_1')).rejects.toThrow('stopping')
})
