import { expect, it } from 'vitest'
import { quotesFile } from './file-quotes.ts'

it.each([
  ['fileid://file-fe-1', true],
  ['see FileID://file-fe-1', true],
  ['\\u0066ile\\u0069d://x', true],
  ['\\u0046\\u0049\\u004C\\u0065\\u0069\\u0064\\u003A//x', true],
  ['fileid', false],
  ['file-id://x', false],
  ['\\u0067ileid://x', false],
  ['hello', false],
])('a text quotes a file, whatever of it is escaped: %s', (content, quotes) => {
  expect(quotesFile(Buffer.from(`{"messages":[{"content":"${content}"}]}`))).toBe(quotes)
})
