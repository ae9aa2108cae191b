import { describe, expect, test } from 'vitest'
import { parseSkillUrl } from './skill-url.ts'

const raw = (text: string): string => {
  const parsed = parseSkillUrl(text)
  return parsed.ok ? parsed.url.href : `refused: ${parsed.problem}`
}
const SHA = 'a'.repeat(40)

describe('page links become raw links', () => {
  test.each([
    [
      'https://github.com/o/r/blob/main/skills/a.ts',
      'https://raw.githubusercontent.com/o/r/main/skills/a.ts',
    ],
    [
      'https://www.github.com/o/r/blob/main/a.ts?plain=1#L10',
      'https://raw.githubusercontent.com/o/r/main/a.ts',
    ],
    [
      'https://github.com/o/r/raw/refs/heads/main/a.ts',
      'https://raw.githubusercontent.com/o/r/refs/heads/main/a.ts',
    ],
    ['https://gist.github.com/user/abc123', 'https://gist.githubusercontent.com/user/abc123/raw'],
    [
      `https://gist.github.com/user/abc123/${SHA}`,
      `https://gist.githubusercontent.com/user/abc123/raw/${SHA}`,
    ],
    ['https://gist.github.com/abc123', 'https://gist.github.com/abc123/raw'],
    [
      'https://gist.github.com/user/abc123/raw/a.ts',
      'https://gist.githubusercontent.com/user/abc123/raw/a.ts',
    ],
    ['https://example.com/a.ts?v=1#top', 'https://example.com/a.ts?v=1'],
    ['HTTPS://Example.com:443/a.ts', 'https://example.com/a.ts'],
  ])('%s', (page, expected) => {
    expect(raw(page)).toBe(expected)
  })

  test('a raw link stays what it is', () => {
    const link = 'https://raw.githubusercontent.com/o/r/main/a.ts'
    expect(raw(raw(link))).toBe(link)
  })

  test('a page that stands for no single file is refused rather than guessed', () => {
    expect(raw('https://github.com/o/r')).toMatch(/not a file/)
    expect(raw('https://github.com/o/r/tree/main/dir')).toMatch(/not a file/)
    expect(raw('https://gist.github.com/user/abc123#file-b-ts')).toMatch(/Raw link/)
    expect(raw('https://gist.github.com/discover')).toMatch(/not a gist/)
  })
})

describe('links that may not be fetched', () => {
  test.each([
    ['http://example.com/a.ts', /https/],
    ['ftp://example.com/a.ts', /https/],
    ['file:///etc/passwd', /https/],
    ['https:example.com', /https/],
    ['https:///example.com', /https/],
    ['https://example.com:8443/a.ts', /port/],
    ['https://user@example.com/a.ts', /user name/],
    ['https://user:pw@example.com/a.ts', /user name/],
    ['https://@example.com/a.ts', /user name/],
    ['https://example.com\\@evil.example/a.ts', /backslash/],
    ['https://exa\tmple.com/a.ts', /white space/],
    ['https://example.com/a.ts\n', /white space/],
    ['https://exämple.com/a.ts', /ASCII/],
    ['https://localhost/a.ts', /domain/],
    ['https://*.example.com/a.ts', /host/],
    ['https://exa%00mple.com/a.ts', /valid|host/],
    [`https://example.com/${'a'.repeat(2_048)}`, /longer/],
  ])('%j', (link, problem) => {
    expect(raw(link)).toMatch(problem)
  })
})
