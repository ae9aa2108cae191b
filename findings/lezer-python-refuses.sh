#!/usr/bin/env bash
# Guess:   @lezer/python, a maintained grammar, reads every Python since 3.9; only the newest forms (template strings, defaults
#          of type parameters) give error nodes.
# Real:    so do ordinary forms, most as old as 3.9 or older; 24 of the 27 here give errors: `print = 1`, `x = yield`,
#          `lambda a, /, b: 0`, decorators that are any expression, `with a as (b, c):`, `for x in *a, b:`, `1..real`, a form
#          feed. `except A, B:` of 3.14, `match` as a name and nested quotes of f-strings are read.
# Version: @lezer/python 1.1.19 beside the parser of CPython 3.14.2 (pyodide 314.0.7)
# Matters: an error node is not proof that a program does not parse: "does not parse" on a card would be a false alarm, and
#          what stands inside such a node is still looked at.
# Seen:    the two lists in the probe; CPython takes every line of both
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @lezer/python@1.1.19 pyodide@314.0.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { parser } from '@lezer/python'
import { loadPyodide } from 'pyodide'

const read = ['except A, B of 3.14', 'match as a name', 'quotes nested in an f-string']
const programs = {
  'except A, B of 3.14': 'try: pass\nexcept A, B: pass\n',
  'match as a name': 'match = 1\nmatch[0]\n',
  'quotes nested in an f-string': "f'{f'{1}'}'\n",
  'print as a name': 'print = 1\n',
  'assigned yield': 'x = yield\n',
  'yield in parentheses': '(yield)\n',
  'yield in a lambda': 'lambda: (yield)\n',
  'yield as a default': 'def f(a=(yield)): pass\n',
  'positional-only in a lambda': 'lambda a, /, b: 0\n',
  'subscripted decorator': '@a.b[c](d)\ndef f(): pass\n',
  'conditional decorator': '@x if y else z\ndef f(): pass\n',
  'lambda decorator': '@lambda f: f\ndef f(): pass\n',
  'tuple after with-as': 'with a as (b, c): pass\n',
  'attribute after with-as': 'with a as b.c: pass\n',
  'with in parentheses': 'with (a as b): pass\n',
  'trailing comma in with': 'with (open(a) as f, open(b) as g,): pass\n',
  'star in a for': 'for x in *a, b: pass\n',
  'attribute of a float': '1..real\n',
  'form feed': 'def f():\n  x\n\f\n  y\n',
  'walrus in a set': '{x := 1}\n',
  'colon-equals in a format': 'f"{a:=5}"\n',
  'two match subjects': 'match x, y:\n  case a, b: pass\n',
  'star in a subscript': 'a[*b]\n',
  'star in an annotation': 'def f(*args: *Ts): ...\n',
  'default of a type parameter': 'def f[T: int = str](x): ...\n',
  'template string': 't"{x}"\n',
  'yield in an alias': 'type X = (yield)\n',
}
const python = await loadPyodide()
const parse = python.runPython('import ast\nlambda text: ast.dump(ast.parse(text)) != ""')
const withoutError = []
for (const [name, text] of Object.entries(programs)) {
  let accepted = true
  try {
    parse(text)
  } catch {
    accepted = false
  }
  let errors = 0
  parser.parse(text).iterate({ enter: (node) => void (errors += Number(node.type.isError)) })
  console.log(name, '· CPython', accepted ? 'takes it' : 'refuses it', '· lezer', errors === 0 ? 'reads it' : 'error')
  if (accepted && errors === 0) withoutError.push(name)
  if (!accepted) withoutError.push(`refused by CPython: ${name}`)
}
assert.deepEqual(withoutError, read)
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
