import { parse } from 'dotenv'
import { expect, it } from 'vitest'
import { strayLines, unclearLines } from './env-file.ts'

it.each([
  ['PORT 3799\nHOST=127.0.0.1\n', [1]],
  ['# a comment\n\n  # another\nPORT=1\r\nTELEGRAM_BOT_TOKEN\r\n', [5]],
  ['export PORT=1\nA_KEY="two\nlines"\nB=\n', []],
  ["A='one\n\nthree'\nstray\n", [4]],
  ['HOST="127.0.0.1\nPORT=1\n12345:a-token-alone\n', [3]],
])('names the lines of %j that set nothing', (text, expected) => {
  expect(strayLines(text)).toEqual(expected)
  // As dotenv reads it: what is left out sets nothing, what stays sets all.
  const kept = text
    .split(/\r?\n/)
    .filter((_line, index) => !expected.includes(index + 1))
    .join('\n')
  expect(parse(kept)).toEqual(parse(text))
})

it.each([
  ['a # within a word', 'A=abc#def\n', [1]],
  ['a # within a word, and a comment', 'B=1\nA=abc#def # a comment\n', [2]],
  ['text behind a closing quote', 'A="x" y\n', [1]],
  ['quotes of a typesetter', 'A=\u201cx\u201d\n', [1]],
  ['nothing odd', 'A=x # a comment\nB="x#y" # another\nC=\nD= # none\nE="a \\" b"\nF=\'two\nlines#x\'\n', []],
])('names the lines whose value is read in two ways: %s', (_name, text, expected) => {
  expect(unclearLines(text)).toEqual(expected)
})
