import { describe, expect, test } from 'vitest'
import { readPython } from './index.ts'

const SEND = 'urllib.request.urlopen(urllib.request.Request("https://a.example/v1", method=method))\n'
const read = (code: string) => readPython(`import sys, urllib.request\nmethod = "GET"\n${code}\n${SEND}`)
const isOpen = (code: string): boolean =>
  read(code).requests.some(({ host, method }) => host === null && method === null)

describe('what changes requests behind the lines', () => {
  test.each([
    'class V:\n    def __get__(self, o, k=None): return "DELETE"',
    'class P:\n    def __set_name__(self, o, n): o.verb = n',
    'class S(type): pass\nclass C(metaclass=S): verb = "GET"',
    'class B:\n    def __init_subclass__(cls, act="POST"): cls.act = act',
    'def f(): pass\nf.__defaults__ = ("/x",)',
    'from functools import singledispatch',
    'class H(urllib.request.BaseHandler):\n    def https_request(self, r): return r',
    'r = urllib.request.Request("https://a.example/")\nr.full_url = r.full_url + "x"',
    'r = urllib.request.Request("https://a.example/")\nr.selector = "/b"',
    'r = urllib.request.Request("https://a.example/")\nr.host = "b.example"',
    'r = urllib.request.Request("https://a.example/")\nvars(r).update(method="DELETE")',
    'r = urllib.request.Request("https://a.example/")\nr.__dict__["method"] = "DELETE"',
    'setattr(sys.modules[__name__], "method", "DELETE")',
    'globals()["method"] = "DELETE"',
    'class A: pass\nclass B: pass\nclass C(A, B):\n    pass',
    'class A: pass\na = A()\na.__class__ = int',
    'x = [(method := v) for v in ("HEAD", "DELETE")]',
  ])('%j lets anything be sent', (code) => {
    expect(isOpen(code)).toBe(true)
  })

  test.each([
    'class C:\n    def __init__(self, host): self.host = host',
    'class C(Exception): pass',
    'class C:\n    def __enter__(self): return self\n    def __exit__(self, *a): pass',
    'from dataclasses import dataclass',
    'if (n := len(sys.argv)) > 1: print(n)',
    'x = vars',
    'd = {"host": "x"}\nd["host"] = "y"',
  ])('%j does not', (code) => {
    expect(read(code).requests).toMatchObject([{ host: 'a.example', method: 'GET', path: '/v1' }])
  })

  test('texts that type hints evaluate are code', () => {
    expect(read('from typing import get_type_hints').dangers.map(({ kind }) => kind)).toContain(
      'code_from_text',
    )
  })
})

test('a function that nothing names tells what it would send, where that is known in every part', () => {
  const facts = readPython(
    'import urllib.request\ndef f():\n    urllib.request.urlopen("https://a.example/x")\n',
  )
  expect(facts.requests).toMatchObject([{ host: 'a.example', path: '/x' }])
})
