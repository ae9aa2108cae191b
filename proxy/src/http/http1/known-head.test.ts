import { describe, expect, it } from 'vitest'
import { get, post, read } from '../../../test/support/message-log.ts'

/** A head that follows another one on its connection says what it says alone. */
describe('a head behind another one', () => {
  const first = post(
    ['Content-Type: application/json', 'Content-Length: 25 ', 'X-A:b', 'Connection: keep-alive'],
    'b'.repeat(25),
  )
  const body = 'c'.repeat(60)
  const told = (texts: readonly string[]) => {
    const { messages, problem } = read('request', texts)
    return {
      messages: messages.map(({ head: { like: _, ...head }, ...rest }) => ({ head, ...rest })),
      problem,
    }
  }
  const likeAlone = (before: string, text: string): boolean => {
    const alone = told([text])
    const behind = told([before, text])
    expect(behind.messages.slice(1), JSON.stringify(text)).toEqual(alone.messages)
    expect(behind.problem, JSON.stringify(text)).toEqual(alone.problem)
    return alone.messages[0]?.ended === true
  }

  it('is read as if it came first, whichever byte of it is another', () => {
    const end = first.indexOf('\r\n\r\n') + 4
    let readable = 0
    for (let at = 0; at < end; at += 1) {
      for (const byte of ['0', '7', ' ', '\t', '\r', '\n', 'a', ':', '\x00']) {
        const changed = `${first.slice(0, at)}${byte}${first.slice(at + 1)}`
        const inserted = `${first.slice(0, at)}${byte}${first.slice(at)}`
        for (const text of [changed, inserted]) if (likeAlone(first, `${text}${body}`)) readable += 1
      }
    }
    expect(readable).toBeGreaterThan(300)
  })

  it.each([
    ...['0', '1', '9', '10', '026', '25', '26', '+26', '-1', '2 6', '26,26', '0x19', '2e1', ''],
    ...['999999999999999', '1000000000000000', '00000000000000000000025', '２６'],
  ])('is read as if it came first, of a length of %j', (length) => {
    likeAlone(first, first.replace('25 ', length) + body)
    likeAlone(first, first.replace('25', length) + body)
  })

  it('is read as if it came first, without a length', () => {
    for (const text of [get('/'), get('/x'), first])
      for (const before of [get('/'), first]) likeAlone(before, text)
  })

  it('is like that one where nothing but its length is another, and shares no list with it', () => {
    const text = (length: number, name = 'X-A') =>
      post([`Content-Length: ${length}`, `${name}: b`], 'b'.repeat(length))
    const { messages } = read('request', [
      text(9),
      text(12),
      text(12),
      text(12, 'X-B'),
      text(9),
      get('/'),
      get('/'),
    ])
    const likes = messages.map(({ head }) => head.like)
    expect(likes.map((like) => likes.indexOf(like))).toEqual([0, 0, 0, 3, 4, 5, 5])
    expect(new Set(messages.map(({ head }) => head.rawHeaders)).size).toBe(7)
    expect(messages.map(({ head }) => head.length)).toEqual([9, 12, 12, 12, 9, 0, 0])
  })
})
