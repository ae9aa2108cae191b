import { describe, expect, it } from 'vitest'
import { patience } from '../../../../test/support/pace.ts'
import { readPython } from './index.ts'

const MIB = 1 << 20
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')
const nested = (count: number, head: string, end: string): string =>
  `${lines(count, (index) => ' '.repeat(index) + head)}\n${' '.repeat(count)}${end}\n`

describe('hostile programs', () => {
  it.each<[string, string, boolean]>([
    ['open brackets', '('.repeat(MIB), false],
    ['closing brackets', ')'.repeat(MIB), false],
    ['open f-strings', 'f"{'.repeat(MIB / 3), false],
    ['conditions without end', 'a if a else '.repeat(MIB / 12), false],
    ['continued lines', '\\\n'.repeat(MIB / 2), true],
    ['signs', '$ ? ! '.repeat(MIB / 6), false],
    ['a long sum', `x = ${'a + '.repeat(3000)}a`, true],
    ['a sum of a megabyte', `x = ${'a + '.repeat(200_000)}a`, true],
    ['many strings', `x = (${'"abc"\n'.repeat(100_000)})`, true],
    ['a chain of calls', `x = a${'.b()'.repeat(50_000)}`, false],
    ['many functions', lines(50_000, (index) => `def f${index}(a): return a`), true],
    ['many calls', `def f(a): return a\n${lines(50_000, (index) => `f(${index})`)}`, true],
    [
      'calls that double',
      `${lines(40, (index) => `def f${index}(a):\n  f${index + 1}([a])\n  f${index + 1}([a, a])`)}\nf0(1)`,
      true,
    ],
    ['text that doubles', `s = "ab"\n${'s = s + s\n'.repeat(50_000)}`, true],
    ['many values', `x = ""\n${lines(20_000, (index) => `if a: x = x + "${index}"`)}`, true],
    ['recursion', 'def f(a): return f(a + "x") + f(a + "y")\nf("")', true],
    ['loops in loops', nested(60, 'while a:', 'x = x + "a"'), true],
    ['deep indentation', nested(700, 'if a:', 'pass'), false],
    ['lambdas', `${'lambda: '.repeat(100_000)}0`, false],
    ['decorators', `${'@d\n'.repeat(100_000)}def f(): pass`, true],
    ['lists of itself', 'a = []\na.append(a)\nprint(a)\nb = {}\nb["b"] = b\nprint(str(b))', true],
    ['a class of itself', 'class A: pass\nclass A(A): pass\nA().x()\nA.__bases__', true],
    ['many lookalikes', lines(12_000, (index) => `name${'Il'[index % 2]}${index >> 1} = 1`), false],
    ['many dangers', `import os\n${lines(6000, (index) => `os.execl.x${index}`)}`, false],
    [
      'many requests',
      `import requests\n${lines(6000, (index) => `requests.get("https://a.com/${index}")`)}`,
      false,
    ],
    ['nothing', '', true],
    ['blanks', ' '.repeat(MIB), true],
    [
      'lone surrogates',
      'x = "\\ud800"\nimport urllib.parse\nurllib.parse.quote(x)\nimport requests\nrequests.get("https://" + x)',
      true,
    ],
  ])(
    '%s',
    (_, code, readable) => {
      const facts = readPython(code)
      expect(facts.readable).toBe(readable)
      if (!readable) expect(facts.dangers.map(({ kind }) => kind)).toContain('unreadable_code')
    },
    patience(60_000),
  )

  it.each<[string, string, number]>([
    ['print "x"', 'is not Python 3', 1],
    ['x = 1\ny = (\n', 'does not parse', 2],
    ['x = 1\0\n', 'holds a NUL', 1],
    ['# -*- coding: utf-7 -*-\nx = 1', 'is written in another alphabet', 1],
    ['#!/usr/bin/python\n# coding=rot13\nx = 1', 'is written in another alphabet', 2],
  ])('%j is not read: it %s', (code, _, line) => {
    const facts = readPython(code)
    expect(facts.readable).toBe(false)
    expect(facts.dangers.map((one) => [one.kind, one.lines])).toEqual([['unreadable_code', [line]]])
  })

  it(
    'reads a long program to its end',
    () => {
      const block = 'def f(a):\n  if a:\n    return {"a": a}\n  return [a for a in (1, 2)]\n\nx = f(1)\n'
      const facts = readPython(`${block.repeat(9000)}eval("1")\n`)
      expect(facts.dangers).toEqual([{ kind: 'code_from_text', lines: [54_001], detail: 'eval' }])
    },
    patience(60_000),
  )

  it('reads every kind of line end as Python does', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const facts = readPython(['x = 1 + \\', ' 2', '# a comment', 'eval("1")'].join(end))
      expect(facts.dangers).toEqual([{ kind: 'code_from_text', lines: [4], detail: 'eval' }])
    }
  })

  it('gives data that crosses threads as JSON', () => {
    const facts = readPython(
      'import requests, os\nrequests.get("https://a.com/x", headers={"A": os.environ["K"]})\neval("1")',
    )
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
  })
})
