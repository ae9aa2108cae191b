import { describe, expect, it } from 'vitest'
import { IMPORT_LIMITS } from '../imports/index.ts'
import { createAnswerReader } from './import-answer.ts'

function answer(head: unknown, ...contents: string[]): Buffer {
  const text = Buffer.from(JSON.stringify(head))
  const size = Buffer.alloc(4)
  size.writeUInt32BE(text.length)
  return Buffer.concat([size, text, ...contents.map((content) => Buffer.from(content))])
}

function read(bytes: Buffer, step = bytes.length) {
  const reader = createAnswerReader()
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step))
  return reader.end()
}

const file = (path: string, bytes: number) => ({ path, bytes })

describe("the resolver's answer", () => {
  it('gives each file its bytes, however the output was cut', () => {
    const bytes = answer({ modules: ['npm:a@1'], files: [file('npm/a', 3), file('remote/b', 2)] }, 'onetw')
    for (const step of [1, 7, 1_000]) {
      const said = read(bytes, step)
      if (!('files' in said)) throw new Error('no files')
      expect([...said.files].map(([path, content]) => [path, Buffer.from(content).toString()])).toEqual([
        ['npm/a', 'one'],
        ['remote/b', 'tw'],
      ])
    }
  })

  it.each<[string, Buffer]>([
    ['a path that leads out', answer({ modules: [], files: [file('npm/../../x', 1)] }, 'x')],
    ['a path beside the cache', answer({ modules: [], files: [file('gen/x', 1)] }, 'x')],
    ['an absolute path', answer({ modules: [], files: [file('/npm/x', 1)] }, 'x')],
    ['a path that comes twice', answer({ modules: [], files: [file('npm/x', 1), file('npm/x', 1)] }, 'xx')],
    ['fewer bytes than said', answer({ modules: [], files: [file('npm/x', 2)] }, 'x')],
    ['more bytes than said', answer({ modules: [], files: [file('npm/x', 1)] }, 'xx')],
    ['no head', Buffer.from([0, 0, 1, 0, 123])],
    ['a head that is not JSON', Buffer.from([0, 0, 0, 1, 123])],
    ['nothing', Buffer.alloc(0)],
    ['too many modules', answer({ modules: Array(IMPORT_LIMITS.modules + 1).fill('x'), files: [] })],
    [
      'a refusal that is not known',
      answer({ refused: { line: 1, specifier: 'x', reason: 'because', why: '' } }),
    ],
  ])('throws for %s', (_what, bytes) => {
    expect(() => read(bytes)).toThrow()
  })

  it('takes no more than an answer can be', () => {
    const reader = createAnswerReader()
    const chunk = Buffer.alloc(1_048_576)
    let taken = 0
    while (taken < 100 && reader.push(chunk)) taken += 1
    expect(taken).toBeLessThan(40)
  })
})
