import { argument, type Call, NO_ARGUMENTS, taintOfCall } from './arguments.ts'
import { anyMember, attributeOf, setAttribute } from './attributes.ts'
import { decoded } from './decode.ts'
import { readVariable } from './environment.ts'
import { imported } from './imports.ts'
import type { Machine } from './machine.ts'
import { iterate } from './members.ts'
import { mapped } from './methods.ts'
import { concat, pythonText } from './text.ts'
import { callUnknown } from './unknown-calls.ts'
import {
  ARGS,
  COMPUTED,
  constant,
  constantsOf,
  DECODED,
  type Env,
  join,
  joinAll,
  knownValue,
  mergeTaints,
  NONE,
  NOTHING,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

const OPEN = unknown(taint(COMPUTED))

/** `name(…)` for a built-in function. */
export function callBuiltin(machine: Machine, name: string, call: Call, at: number, env: Env | null): Value {
  const part = (place: number, key = ' '): Value => argument(call, place, key)
  const first = part(0)
  switch (name) {
    case 'str':
      return call.args.length === 0
        ? constant('')
        : joinAll(
            first.map(
              (alt): Value =>
                alt.t === 'const'
                  ? constant(pythonText(alt.v), alt.bits)
                  : alt.t === 'text' || alt.t === 'json'
                    ? [alt]
                    : concat([[alt]]),
            ),
          )
    case 'int':
    case 'float': {
      const texts = constantsOf(first)
      const base = Number(constantsOf(part(1, 'base'))?.[0] ?? 10)
      if (texts?.length === 1 && typeof texts[0] !== 'object') {
        const value =
          name === 'float'
            ? Number(texts[0])
            : typeof texts[0] === 'string' && base >= 2 && base <= 36
              ? Number.parseInt(texts[0].replace(/^0[xob]/i, ''), base)
              : Math.trunc(Number(texts[0]))
        if (Number.isFinite(value)) return constant(value)
      }
      return unknown(mergeTaints(taintOf(first), taint(COMPUTED)))
    }
    case 'chr': {
      const codes = constantsOf(first)
      if (codes?.length === 1 && typeof codes[0] === 'number' && codes[0] >= 0 && codes[0] < 0x110000)
        return constant(String.fromCodePoint(Math.trunc(codes[0])), DECODED)
      return unknown(mergeTaints(taintOf(first), taint(DECODED | COMPUTED)))
    }
    case 'ord': {
      const chars = constantsOf(first)
      if (chars?.length === 1 && typeof chars[0] === 'string' && chars[0] !== '')
        return constant(chars[0].codePointAt(0) as number)
      machine.recorder.secretGoes(taintOf(first), 'computed')
      return unknown(mergeTaints(taintOf(first), taint(COMPUTED)))
    }
    case 'bytes':
    case 'bytearray':
      return bytesOf(machine, first, at)
    case 'bytes.fromhex':
    case 'bytearray.fromhex':
      return decoded(`builtins.${name}`, first, NOTHING) ?? OPEN
    case 'print':
      machine.recorder.secretGoes(taintOfCall(call), 'output')
      return NONE
    case 'input':
      return unknown(taint(ARGS))
    case 'open': {
      if (
        constantsOf(first)?.some((path) => /\.(?:py|pyc|pth|so)$/.test(String(path))) &&
        constantsOf(part(1, 'mode'))?.some((mode) => /[wax+]/.test(String(mode)))
      )
        machine.recorder.danger('text_import', at, 'writes a program')
      if (constantsOf(first)?.some((path) => /\/proc\/.*environ/.test(String(path))))
        return readVariable(machine, null, at)
      return unknown(mergeTaints(taintOf(first), taint(COMPUTED)))
    }
    case 'getattr': {
      const names = constantsOf(part(1))
      const initial = part(2)
      if (names === null) return join(anyMember(machine, first, part(1), at), initial)
      return join(joinAll(names.map((one) => attributeOf(machine, first, String(one), at))), initial)
    }
    case 'setattr': {
      const names = constantsOf(part(1))
      for (const one of names ?? ['…']) setAttribute(machine, first, String(one), part(2), at)
      return NONE
    }
    case 'delattr':
    case 'hasattr':
    case 'isinstance':
    case 'issubclass':
    case 'callable':
    case 'id':
    case 'hash':
      return OPEN
    case 'globals':
    case 'locals':
      return knownValue('namespace')
    case 'vars':
      return first.length === 0
        ? knownValue('namespace')
        : joinAll(
            first.map(
              (alt): Value =>
                alt.t === 'object'
                  ? [{ t: 'dict', entries: alt.attributes, rest: NOTHING }]
                  : alt.t === 'ref'
                    ? knownValue('namespace', [['of', [alt]]])
                    : OPEN,
            ),
          )
    case '__import__':
      return joinAll(
        imported(machine, first, at).map(
          (alt): Value =>
            alt.t === 'ref' && part(3, 'fromlist').length === 0
              ? [{ t: 'ref', name: alt.name.split('.')[0] as string }]
              : [alt],
        ),
      )
    case 'dict':
      return dictOf(machine, call, at)
    case 'list':
    case 'tuple':
    case 'set':
    case 'frozenset':
    case 'sorted':
    case 'iter':
    case 'aiter':
    case 'reversed': {
      const { known: items, open } =
        first.length === 0 ? { known: [], open: NOTHING } : iterate(machine, first, at)
      const key = call.named.get('key')
      if (key !== undefined)
        machine.call(key, { ...NO_ARGUMENTS, args: [join(joinAll(items), open)] }, at, env)
      return [{ t: 'list', items: name === 'reversed' ? [...items].reverse() : [...items], rest: open }]
    }
    case 'enumerate':
    case 'zip':
      return zipped(machine, name, call, at)
    case 'map':
      return mapped(machine, first, call.args.slice(1), at)
    case 'filter': {
      mapped(machine, first, call.args.slice(1), at)
      const { known: items, open } = iterate(machine, part(1), at)
      return [{ t: 'list', items: [], rest: join(joinAll(items), open) }]
    }
    case 'next':
    case 'anext':
    case 'max':
    case 'min':
      if (name.endsWith('next') || call.args.length === 1) {
        const { known: items, open } = iterate(machine, first, at)
        return join(join(joinAll(items), open), part(1))
      }
      return joinAll(call.args)
    case 'range': {
      const numbers = call.args.map((value) => constantsOf(value)?.[0])
      if (numbers.length > 0 && numbers.length <= 3 && numbers.every((one) => typeof one === 'number')) {
        const [from, to, by] =
          numbers.length === 1
            ? [0, numbers[0] as number, 1]
            : [numbers[0] as number, numbers[1] as number, (numbers[2] as number | undefined) ?? 1]
        const count = by === 0 ? 0 : Math.ceil((to - from) / by)
        if (count > 0 && count <= 16)
          return [
            {
              t: 'list',
              items: Array.from({ length: count }, (_, index) => constant(from + index * by)),
              rest: NOTHING,
            },
          ]
      }
      return [{ t: 'list', items: [], rest: unknown(mergeTaints(taintOfCall(call), taint(COMPUTED))) }]
    }
    case 'super': {
      const frame = machine.frames.at(-1)
      if (frame?.self === undefined || frame.self === null || frame.owner === null) return OPEN
      return knownValue('super', [
        ['self', frame.self],
        ['owner', [frame.owner]],
      ])
    }
    case 'type':
      if (call.args.length === 3) return madeClass(machine, call, at)
      return first.length === 1 && first[0]?.t === 'object' ? [first[0].of] : OPEN
    case 'object':
      return OPEN
    case 'property':
      return first.flatMap((alt): Value => (alt.t === 'function' ? [{ ...alt, kind: 'property' }] : [alt]))
    case 'staticmethod':
      return first.flatMap((alt): Value => (alt.t === 'function' ? [{ ...alt, kind: 'static' }] : [alt]))
    case 'classmethod':
      return first.flatMap((alt): Value => (alt.t === 'function' ? [{ ...alt, kind: 'class' }] : [alt]))
    case 'bool': {
      const values = constantsOf(first)
      return values?.length === 1
        ? constant(Boolean(values[0]))
        : unknown(mergeTaints(taintOf(first), taint(COMPUTED)))
    }
    case 'sum':
    case 'any':
    case 'all':
    case 'len':
    case 'abs':
    case 'round':
    case 'repr':
    case 'ascii':
    case 'format':
      return unknown(mergeTaints(taintOfCall(call), taint(COMPUTED)))
    case 'dict.fromkeys':
      return [
        {
          t: 'dict',
          entries: new Map(
            iterate(machine, first, at).known.flatMap((key) =>
              (constantsOf(key) ?? []).map((one) => [String(one), part(1)] as const),
            ),
          ),
          rest: NOTHING,
        },
      ]
    case 'exit':
    case 'quit':
    case 'SystemExit':
      machine.recorder.secretGoes(taintOfCall(call), 'output')
      return OPEN
    default:
      if (/^[A-Z]\w*(?:Error|Exception)$/.test(name))
        return unknown(mergeTaints(taintOfCall(call), taint(COMPUTED)))
      return callUnknown(machine, taint(COMPUTED), call, at)
  }
}

/** `type(name, bases, members)`. */
function madeClass(machine: Machine, call: Call, at: number): Value {
  const [, bases, dict] = call.args
  const [members] = dict ?? NOTHING
  return [
    {
      t: 'class',
      name: String(constantsOf(call.args[0] ?? NOTHING)?.[0] ?? 'type'),
      members: members?.t === 'dict' ? new Map(members.entries) : new Map(),
      fields: [],
      bases: iterate(machine, bases ?? NOTHING, at).known,
      objects: [],
    },
  ]
}

function bytesOf(machine: Machine, value: Value, at: number): Value {
  const [only] = value
  if (only?.t === 'list') {
    const { known: items, open } = iterate(machine, value, at)
    const codes = items.map((item) => constantsOf(item)?.[0])
    if (open.length === 0 && codes.length > 0 && codes.every((code) => typeof code === 'number'))
      return constant(String.fromCharCode(...(codes as number[])), DECODED)
    return unknown(mergeTaints(taintOf(value), taint(DECODED | COMPUTED)))
  }
  return value.length === 0 ? constant('') : value
}

function dictOf(machine: Machine, call: Call, at: number): Value {
  const entries = new Map<string, Value>()
  let rest: Value = call.restNamed
  for (const alt of call.args[0] ?? NOTHING) {
    if (alt.t === 'dict') {
      for (const [key, value] of alt.entries) entries.set(key, value)
      rest = join(rest, alt.rest)
    } else if (alt.t === 'list') {
      for (const item of alt.items) {
        const [pair] = item
        const key = pair?.t === 'list' ? constantsOf(pair.items[0] ?? NOTHING)?.[0] : undefined
        if (pair?.t === 'list' && key !== undefined) entries.set(String(key), pair.items[1] ?? NOTHING)
        else rest = join(rest, unknown(mergeTaints(taintOf(item), taint(COMPUTED))))
      }
      for (const pair of alt.rest) rest = join(rest, pair.t === 'list' ? (pair.items[1] ?? OPEN) : [pair])
    } else if (alt.t === 'ref' && alt.name === 'os.environ')
      rest = join(rest, readVariable(machine, null, at))
    else rest = join(rest, unknown(mergeTaints(taintOf([alt]), taint(COMPUTED))))
  }
  for (const [key, value] of call.named) entries.set(key, value)
  return [{ t: 'dict', entries, rest }]
}

function zipped(machine: Machine, name: string, call: Call, at: number): Value {
  const walked = call.args
    .slice(0, name === 'enumerate' ? 1 : undefined)
    .map((list) => iterate(machine, list, at))
  const number = (index: number): Value[] => (name === 'enumerate' ? [constant(index)] : [])
  const count = walked.length === 0 ? 0 : Math.min(...walked.map(({ known: items }) => items.length))
  const items: Value[] = []
  for (let index = 0; index < Math.min(count, 64); index++)
    items.push([
      {
        t: 'list',
        items: [...number(index), ...walked.map(({ known: of }) => of[index] as Value)],
        rest: NOTHING,
      },
    ])
  const open = walked.some(({ open: rest }) => rest.length > 0) || count > 64
  const rest: Value = open
    ? [
        {
          t: 'list',
          items: [
            ...(name === 'enumerate' ? [OPEN] : []),
            ...walked.map(({ known: of, open: more }) => join(joinAll(of), more)),
          ],
          rest: NOTHING,
        },
      ]
    : NOTHING
  return [{ t: 'list', items, rest }]
}
