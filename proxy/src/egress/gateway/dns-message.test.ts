import { describe, expect, it } from 'vitest'
import { encodeAnswer, RESPONSE, readQuestion } from './dns-message.ts'

const HEADER = '1234 0100 0001 0000 0000 0000'
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
/** api.test, type A, class IN; the letters in mixed case, as resolvers send them against forged answers. */
const QUESTION = '03 417069 04 74657374 00 0001 0001'

describe('a query', () => {
  it('is read with its name as it was asked', () => {
    expect(readQuestion(hex(HEADER + QUESTION))).toEqual({
      id: 0x1234,
      name: 'Api.test',
      type: 1,
      recursionDesired: true,
      bytes: hex(QUESTION),
    })
  })

  it('is read without what extensions put behind it (RFC 6891)', () => {
    const extended = hex(`1234 0100 0001 0000 0000 0001 ${QUESTION} 00 0029 1000 00000000 0000`)
    expect(readQuestion(extended)).toMatchObject({ name: 'Api.test', bytes: hex(QUESTION) })
  })

  it.each([
    ['an answer', `1234 8100 0001 0000 0000 0000${QUESTION}`, null],
    ['a piece of a header', '1234 0100 0001', null],
    ['no question', '1234 0100 0000 0000 0000 0000', RESPONSE.formatError],
    ['two questions', `1234 0100 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`, RESPONSE.formatError],
    ['a pointer that leads to itself', `${HEADER} c00c 0001 0001`, RESPONSE.formatError],
    ['a name without an end', `${HEADER} 03 617069`, RESPONSE.formatError],
    ['a label that is longer than the message', `${HEADER} 3f 617069 00 0001 0001`, RESPONSE.formatError],
    ['no type', `${HEADER} 03 617069 00`, RESPONSE.formatError],
    [
      'a name beyond 255 bytes',
      `${HEADER} ${`3f${'61'.repeat(63)}`.repeat(4)} 00 0001 0001`,
      RESPONSE.formatError,
    ],
    ['an update', `1234 2800 0001 0000 0000 0000${QUESTION}`, RESPONSE.notImplemented],
    ['another class', `${HEADER} 03 417069 00 0001 0003`, RESPONSE.refused],
  ])('that is %s has no question', (_what, message, code) => {
    expect(readQuestion(hex(message))).toEqual(code === null ? null : { id: 0x1234, code })
  })
})

describe('an answer', () => {
  const asked = readQuestion(hex(HEADER + QUESTION))
  if (asked === null || 'code' in asked) throw new Error('the question cannot be read')

  it('repeats the question letter by letter and holds one address', () => {
    expect(encodeAnswer(asked, RESPONSE.ok, '127.64.0.1')).toEqual(
      hex(`1234 8180 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000003c 0004 7f400001`),
    )
  })

  it('says that there is no such name, or what else is wrong, without an address', () => {
    expect(encodeAnswer(asked, RESPONSE.nameError)).toEqual(hex(`1234 8183 0001 0000 0000 0000 ${QUESTION}`))
    expect(encodeAnswer({ id: 7, code: RESPONSE.formatError }, RESPONSE.formatError)).toEqual(
      hex('0007 8081 0000 0000 0000 0000'),
    )
  })
})
