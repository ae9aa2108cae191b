import { setMember, setPrototype, tellReplaced } from './assignments.ts'
import { lineOf, type Node } from './ast.ts'
import { callClient } from './clients.ts'
import { bufferFrom, decode, encoded, parsed } from './decoding.ts'
import { define, defineAll, nameOf } from './define.ts'
import { tellHooks } from './hooks.ts'
import { importModule } from './imports.ts'
import { anyOf, elementsOf } from './lists.ts'
import { getMember, readEnv } from './members.ts'
import { opaque } from './opaque.ts'
import { DYNAMIC_CODE, HIDDEN_NAMES } from './platform-names.ts'
import { sendFetch, sendRequest } from './requests.ts'
import { type Run, spend, withCondition } from './run.ts'
import { jsonHooks, rawText } from './strings.ts'
import { costOf, toTexts } from './texts.ts'
import { entryList, ownEntries, plainEntries, protoOf } from './things.ts'
import {
  anything,
  type Builtin,
  builtin,
  constantOf,
  items,
  mixed,
  only,
  secretsIn,
  text,
  thing,
  UNDEFINED,
  union,
  type Value,
} from './values.ts'

/** Sources of values that are never functions. */
const IS_DATA: ReadonlySet<string> = new Set(['args', 'answer', 'decoded'])

const PROTOTYPE = /^(?:String|Array|Object|Number|Function|URL|Map)\.prototype\.(\w+)$/

/** Calls a function of the platform. */
export function callPlatform(run: Run, one: Builtin, self: Value, args: readonly Value[], node: Node): Value {
  const { name } = one
  const line = lineOf(node)
  const [first = UNDEFINED, second = UNDEFINED, third = UNDEFINED] = args
  const client = callClient(run, one, args, node)
  if (client !== null) return client
  const proto = name.includes('.prototype.') ? PROTOTYPE.exec(name) : null
  for (const arg of args) for (const given of arg) if (given.k === 'text') spend(run, costOf(given))
  if (readsWhole(run, name, args, line)) return anything('environment', { secrets: ['*'] })
  if (proto?.[1] === 'call' || proto?.[1] === 'apply' || proto?.[1] === 'bind') {
    return run.method(self, proto[1], args, node)
  }
  if (proto?.[1] !== undefined && proto[1] !== 'constructor') {
    if (self.some((target) => target.k === 'text' || target.k === 'items'))
      return run.method(self, proto[1], args, node)
    return opaque(run, null, proto[1], [self, ...args], node)
  }
  if (name === 'process.binding' || name === 'process._linkedBinding') {
    run.sink.danger(only(first) === 'spawn_sync' ? 'starts_programs' : 'native_code', line, name)
  }
  if (DYNAMIC_CODE.has(name)) run.sink.danger('code_from_text', line, name)
  if (name === 'Symbol.for' || name.startsWith('regex ')) return anything('computed')
  const hidden = name === 'Intl.DateTimeFormat' && args.length === 0 ? 'time zone' : HIDDEN_NAMES.get(name)
  if (hidden !== undefined) return anything('environment', { hidden, role: 'atom' })
  if (
    name.startsWith('console.') ||
    /^process\.std(?:out|err)\.write$|^Deno\.std(?:out|err)\.write(?:Sync)?$/.test(name)
  ) {
    run.sink.secretGoes(
      args.flatMap((arg) => secretsIn(arg)),
      'output',
    )
    return UNDEFINED
  }
  if (name.startsWith('Temporal.Now')) return anything('environment', { hidden: 'Date', role: 'atom' })
  switch (name) {
    case 'fetch':
      tellHooks(run, second, node)
      return sendFetch(run, args, node)
    case 'navigator.sendBeacon':
      sendRequest(run, { url: first, method: text('POST'), headers: UNDEFINED, body: second }, node)
      return anything('computed')
    case 'setTimeout':
    case 'setInterval':
    case 'setImmediate':
    case 'queueMicrotask':
      // A function cannot come from data, so what comes from there would be run as text.
      if (first.some((given) => given.k === 'text' || (given.k === 'any' && IS_DATA.has(given.from)))) {
        run.sink.danger('code_from_text', line, `${name} with text`)
      }
      // A moment that is written down, as the time to wait for it.
      return withCondition(run, mixed([second]).hidden === 'Date' ? 'Date' : null, () =>
        opaque(run, null, null, args, node),
      )
    case 'createRequire':
      return builtin('require')
    case 'globalThis.*':
      // One of the functions of the platform: with an address it is the one that sends.
      if (
        first.some(
          (given) =>
            given.k === 'thing' || (given.k === 'text' && /^[a-z]+:\/\//i.test(String(given.parts[0]))),
        )
      )
        return sendFetch(run, args, node)
      return opaque(run, null, null, args, node)
    case 'require':
      return importModule(run, first, node, false)
    case 'Deno.env.get':
    case 'process.env.get': {
      const names = first.map((given) => constantOf(given))
      return union(
        ...names.map(
          (given): Value => (given === null ? readEnv(run, '*', node) : readEnv(run, given, node)),
        ),
      )
    }
    case 'Deno.env.toObject':
      run.sink.secretRead('*', line)
      return builtin('process.env')
    case 'JSON.stringify': {
      const hooks = [...second.filter((given) => given.k === 'function'), ...jsonHooks(run, first, node)]
      // What a hook puts in the place of a part may be anything.
      if (hooks.length > 0)
        return [{ ...mixed([first, opaque(run, null, null, [first, hooks], node)]), role: 'json' }]
      return [{ ...mixed([first]), role: 'json', data: first }]
    }
    case 'JSON.parse': {
      const data = parsed(first)
      const revives = second.some((given) => given.k !== 'primitive')
      return revives ? [mixed([data, opaque(run, null, null, [data, second], node)])] : data
    }
    case 'structuredClone':
    case 'Object.freeze':
    case 'Object.seal':
    case 'Object.preventExtensions':
    case 'Promise.resolve':
    case 'Symbol':
      return first
    case 'Promise.all':
    case 'Promise.allSettled':
    case 'Promise.race':
    case 'Promise.any':
      return name === 'Promise.all' ? first : name === 'Promise.allSettled' ? [mixed([first])] : anyOf(first)
    case 'Array.from': {
      const list = elementsOf(run, first, null)
      const source = list === null ? items([], mixed([first])) : items(list)
      return second === UNDEFINED ? source : run.method(source, 'map', [second], node)
    }
    case 'Array.of':
    case 'Array':
      return items([...args])
    case 'String':
      return toTexts(run, first)
    case 'String.raw':
      return rawText(run, first, args.slice(1), node)
    case 'Number':
    case 'parseInt':
    case 'parseFloat':
    case 'Number.parseInt':
    case 'Number.parseFloat':
    case 'encodeURIComponent':
    case 'escape':
      return encoded(name, first)
    case 'encodeURI':
      return first
    case 'Boolean': {
      return [mixed([first])]
    }
    case 'decodeURIComponent':
    case 'decodeURI':
    case 'unescape':
    case 'atob':
    case 'String.fromCharCode':
    case 'String.fromCodePoint':
      return decode(name, args)
    case 'btoa':
      return [{ ...mixed([first]), role: 'atom' }]
    case 'Buffer.from':
      return bufferFrom(first, second)
    case 'Object.keys':
      return keysOf(run, first, node)
    case 'Object.values': {
      const entries = plainEntries(run, first, node)
      return entries === null ? all(run, first, node) : items(entries.map(([, value]) => value))
    }
    case 'Object.getOwnPropertyDescriptor':
    case 'Object.getOwnPropertyDescriptors':
    case 'Object.getOwnPropertyNames':
    case 'Reflect.ownKeys':
      return all(run, first, node)
    case 'Object.entries': {
      const entries = plainEntries(run, first, node)
      if (entries !== null) return entryList(entries)
      const whole = all(run, first, node)
      return first.some((given) => given.k === 'builtin')
        ? items([items([anything('computed'), anyOf(whole)])])
        : whole
    }
    case 'Object.fromEntries':
      return fromEntries(run, first)
    case 'Object.assign':
      for (const source of args.slice(1)) assign(run, first, source, node)
      return first
    case 'Object.create': {
      const made = thing()
      made.proto = first
      if (second !== UNDEFINED) defineAll(run, [made], second, node)
      return [made]
    }
    case 'Object.defineProperty':
    case 'Reflect.defineProperty': {
      tellReplaced(run, first, nameOf(second), node)
      define(run, first, nameOf(second), third, node)
      return first
    }
    case 'Object.defineProperties':
      tellReplaced(run, first, null, node)
      defineAll(run, first, second, node)
      return first
    case 'Object.setPrototypeOf':
    case 'Reflect.setPrototypeOf':
      tellReplaced(run, first, null, node)
      setPrototype(run, first, second)
      return first
    case 'Reflect.set':
      setMember(run, first, nameOf(second), third, node)
      return anything('computed')
    case 'Reflect.get':
      if (only(second) === 'constructor') run.sink.danger('code_from_text', line, 'constructor')
      return getMember(run, first, nameOf(second), node)
    case 'Reflect.apply': {
      const list = elementsOf(run, third, null) ?? new Array<Value>(4).fill(anyOf(third))
      return run.call(first, second, list, node)
    }
    case 'Reflect.construct': {
      const list = elementsOf(run, second, null) ?? new Array<Value>(4).fill(anyOf(second))
      return union(...first.map((target) => run.construct(target, list, node)))
    }
    case 'Object.getPrototypeOf':
    case 'Reflect.getPrototypeOf':
      return union(
        ...first.map((given): Value => {
          if (given.k === 'function' || given.k === 'class' || given.k === 'builtin')
            return builtin('Function.prototype')
          if (given.k === 'text') return builtin('String.prototype')
          if (given.k === 'items') return builtin('Array.prototype')
          if (given.k === 'thing') return protoOf(given)
          return [mixed([[given]])]
        }),
      )
    case 'resolve': {
      for (const target of one.data ?? []) if (target.k === 'items') target.items.push(first)
      return UNDEFINED
    }
    default:
      return otherwise(run, one, args, node)
  }
}

/**
 * Puts down that all variables of the environment are read together, from the object or from Linux's file of them.
 * @returns whether it is the file
 */
function readsWhole(run: Run, name: string, args: readonly Value[], line: number): boolean {
  if (/^Object\.(?:freeze|hasOwn|prototype)/.test(name)) return false
  let isFile = false
  for (const arg of args) {
    for (const one of arg) {
      const names = /^\/proc\/[^/]+\/environ$/.test(constantOf(one) ?? '')
      isFile ||= names
      if (names || (one.k === 'builtin' && one.name === 'process.env')) run.sink.secretRead('*', line)
    }
  }
  return isFile
}

function otherwise(run: Run, one: Builtin, args: readonly Value[], node: Node): Value {
  if (/^Object\.prototype\.__define[GS]etter__$/.test(one.name))
    tellReplaced(run, args[0] ?? UNDEFINED, null, node)
  if (/^(?:Uint8Array|Buffer)\.(?:from|fromBase64|fromHex|alloc|concat)$/.test(one.name)) {
    return [{ ...mixed(args), role: 'bytes' }]
  }
  const from = one.name.startsWith('Deno.') || one.name.startsWith('node:os') ? 'environment' : 'computed'
  const made = opaque(run, null, null, args, node)
  return from === 'environment' && made.length === 1 ? [mixed([made], 'environment')] : made
}

/** Everything in an object; of the global object that is every function there is. */
function all(run: Run, value: Value, node: Node): Value {
  const parts = value.filter((one) => one.k === 'builtin').map((one) => getMember(run, [one], null, node))
  return parts.some((part) => part.some((one) => one.k === 'builtin'))
    ? items(parts)
    : items([], mixed([value]))
}

function keysOf(run: Run, value: Value, node: Node): Value {
  const entries = plainEntries(run, value, node)
  return entries === null ? all(run, value, node) : items(entries.map(([key]) => text(key)))
}

function fromEntries(run: Run, value: Value): Value {
  const made = thing()
  for (const entry of elementsOf(run, value, null) ?? []) {
    const pair = elementsOf(run, entry, null)
    const key = pair?.[0] === undefined ? null : only(pair[0])
    if (key === null || pair?.[1] === undefined) made.rest = mixed([value])
    else made.props.set(key, pair[1])
  }
  if (elementsOf(run, value, null) === null) made.rest = mixed([value])
  return [made]
}

function assign(run: Run, target: Value, source: Value, node: Node): void {
  for (const one of source) {
    if (one.k === 'thing') {
      for (const [key, value] of ownEntries(run, one, node)) setMember(run, target, key, value, node)
      if (one.rest !== null) setMember(run, target, null, [one.rest], node)
    } else if (one.k !== 'primitive') setMember(run, target, null, [mixed([[one]])], node)
  }
}
