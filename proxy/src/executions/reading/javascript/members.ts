import { bare, lineOf, literalOf, type Node } from './ast.ts'
import { GLOBAL_OBJECTS, GLOBALS, HIDDEN_NAMES, NAME_DANGERS, NO_COMPUTED_KEY } from './platform-names.ts'
import { type Run, spend } from './run.ts'
import { prototypeOf, thingMember } from './things.ts'
import {
  type Alternative,
  anything,
  type Builtin,
  builtin,
  type ClassValue,
  constantOf,
  type Frame,
  type FunctionValue,
  mixed,
  primitive,
  type Role,
  text,
  thing,
  UNDEFINED,
  union,
  unknown,
  type Value,
} from './values.ts'

/** The constant key of a member, property or pattern; null when it is computed. */
export function keyName(run: Run, node: Node, frame: Frame): string | null {
  const isMember = node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression'
  const key = isMember ? node.property : node.key
  if (!node.computed) return staticKey(key)
  const value = run.evaluate(key, frame)
  const keys = value.map((one) =>
    one.k === 'primitive'
      ? String(one.value)
      : one.k === 'builtin' && one.name.startsWith('Symbol.')
        ? one.name
        : constantOf(one),
  )
  const [first] = keys
  if (keys.length !== 1 || first === undefined || first === null) return null
  // Written as a computed key although it is a constant: honest code has no reason to.
  if ((first === 'constructor' || first === '__proto__') && !GLOBAL_OBJECTS.has(key.name)) {
    run.sink.danger('code_from_text', lineOf(node), first)
  }
  return first
}

/** All constant keys that a member may have, null when one is computed; and what hidden thing the key hangs on. */
export function keyNames(
  run: Run,
  node: Node,
  frame: Frame,
): { readonly names: readonly string[] | null; readonly hidden: string | null } {
  const key = node.computed ? bare(node.property) : node.property
  if (node.computed && key.type !== 'StringLiteral' && key.type !== 'NumericLiteral') {
    const value = run.evaluate(key, frame)
    const names = value.map((one) => (one.k === 'primitive' ? String(one.value) : constantOf(one)))
    if (value.length > 1 || names[0] === null) {
      const [first] = value
      const symbol = first?.k === 'builtin' && first.name.startsWith('Symbol.') ? [first.name] : null
      const { hidden } = mixed([value])
      return { names: names.includes(null) ? symbol : (names as string[]), hidden }
    }
  }
  const name = keyName(run, node, frame)
  return { names: name === null ? null : [name], hidden: null }
}

function staticKey(key: Node): string | null {
  if (key.type === 'Identifier') return key.name
  if (key.type === 'PrivateName') return `#${(key.id as Node).name}`
  if (key.type === 'StringLiteral' || key.type === 'NumericLiteral') return String(literalOf(key))
  return null
}

/** No variable has a longer name; what is longer is not shown. */
const LONGEST_NAME = 128

export function readEnv(run: Run, name: string, node: Node): Value {
  if (name === 'OAUTH3_ARGS') return anything('args')
  if (name.length > LONGEST_NAME) return readEnv(run, '*', node)
  run.sink.secretRead(name, lineOf(node))
  return anything('environment', { secrets: [name], hidden: `?${name}` })
}

/** A name that nothing declares. */
export function globalValue(run: Run, name: string, node: Node): Value {
  if (name === 'undefined') return UNDEFINED
  if (GLOBAL_OBJECTS.has(name)) return builtin('globalThis')
  if (name === 'args') return anything('args')
  if (name === 'NaN' || name === 'Infinity') return anything('computed', { role: 'atom' })
  if (!GLOBALS.has(name)) return anything('computed')
  return named(run, name, node)
}

/** A thing of the platform by its full name, told when its mention is a danger. */
function named(run: Run, name: string, node: Node): Value {
  // A plain `Function` or `eval` is seen by the look at all names; here come those that are reached another way.
  const danger = node.type === 'Identifier' ? undefined : NAME_DANGERS.get(name)
  if (danger !== undefined) run.sink.danger(danger, lineOf(node), name)
  if (name.startsWith('process.env.')) return readEnv(run, name.slice(12), node)
  if (name.startsWith('localStorage.') && !/\.(?:get|set|remove)Item$|\.clear$/.test(name)) {
    return anything('environment', { hidden: 'localStorage' })
  }
  const hidden = HIDDEN_NAMES.get(name)
  if (
    hidden !== undefined &&
    (hidden === 'hostname' || name === 'performance.timeOrigin') &&
    !/\.(?:hostname|cwd|userInfo|platform|uptime|cpus|networkInterfaces|memoryUsage|loadavg|osRelease|systemMemoryInfo)$/.test(
      name,
    )
  ) {
    return anything('environment', { hidden, role: 'atom' })
  }
  return builtin(name)
}

const MODULE_ALIASES: Record<string, string> = {
  'node:process.default': 'process',
  'node:buffer.Buffer': 'Buffer',
  'node:buffer.atob': 'atob',
  'node:url.URL': 'URL',
  'node:url.URLSearchParams': 'URLSearchParams',
  'node:timers.setTimeout': 'setTimeout',
  'node:timers.setInterval': 'setInterval',
  'node:perf_hooks.performance': 'performance',
  'node:util.TextDecoder': 'TextDecoder',
  'node:util.TextEncoder': 'TextEncoder',
  'node:crypto.webcrypto': 'crypto',
  'node:console.default': 'console',
  'undici.fetch': 'fetch',
  'undici.WebSocket': 'WebSocket',
  'undici.EventSource': 'EventSource',
  'undici.Request': 'Request',
  'undici.Headers': 'Headers',
  'fetch-package.default': 'fetch',
  'fetch-package.fetch': 'fetch',
  'fetch-package.Request': 'Request',
  'fetch-package.Headers': 'Headers',
  'axios.default': 'axios',
  'axios.axios': 'axios',
  'got.default': 'got',
  'got.got': 'got',
  'ky.default': 'ky',
  'ofetch.ofetch': 'ofetch',
  'ofetch.$fetch': 'ofetch',
  'ofetch.default': 'ofetch',
  'Bun.env': 'process.env',
  'Bun.fetch': 'fetch',
  'node:module.createRequire': 'createRequire',
}

/** Parts of the module for sockets that open none. */
const HARMLESS_NET: ReadonlySet<string> = new Set(['isIP', 'isIPv4', 'isIPv6', 'BlockList', 'SocketAddress'])

/** A function of the platform, as far as `constructor` of it is `Function`. */
const isCallable = (name: string): boolean =>
  !/^(?:globalThis|Deno|process|JSON|Math|Reflect|console|navigator|crypto|performance|module|exports|process\.env)$/.test(
    name,
  )

function builtinMember(run: Run, whole: Builtin, key: string | null, node: Node): Value {
  const { name } = whole
  const line = lineOf(node)
  if (name === 'node:net' && key !== 'default' && !HARMLESS_NET.has(key ?? ''))
    run.sink.danger('opaque_sender', line, name)
  if (name === 'globalThis') {
    if (key === null) {
      run.sink.danger('code_from_text', line, 'a computed name of a global')
      return builtin('globalThis.*')
    }
    return globalValue(run, key, node)
  }
  if (key === null) {
    if (name === 'process.env') {
      run.sink.secretRead('*', line)
      return anything('environment', { secrets: ['*'], hidden: '?*' })
    }
    if (NO_COMPUTED_KEY.has(name) || name.startsWith('node:module') || name.startsWith('node:process')) {
      run.sink.danger('code_from_text', line, `a computed name of ${name}`)
    }
    if (/^(?:axios|got|ky|ofetch|undici|node:https?)$/.test(name)) return builtin(`${name}.*`, whole.data)
    return anything('computed')
  }
  if (
    key === 'constructor' &&
    (name === 'Function.prototype' || (isCallable(name) && !name.endsWith('.prototype')))
  ) {
    run.sink.danger('code_from_text', line, 'constructor')
    return builtin('Function')
  }
  if (key === 'constructor' && name.endsWith('.prototype')) return builtin(name.slice(0, -10))
  if (key === '__proto__') return builtin(isCallable(name) ? 'Function.prototype' : 'Object.prototype')
  if (name === 'fetch' && key === 'default') return builtin('fetch')
  const full = `${name}.${key}`
  if (name === 'axios' && key === 'defaults') return whole.data ?? run.defaults
  const alias = Object.hasOwn(MODULE_ALIASES, full) ? MODULE_ALIASES[full] : undefined
  if (alias !== undefined) return builtin(alias, whole.data)
  if (name.startsWith('node:') && key === 'default') return builtin(name)
  if (name === 'node:process') return named(run, `process.${key}`, node)
  if (name.startsWith('import.meta') && key === 'env') return builtin('process.env')
  if (whole.data !== null) return builtin(full, whole.data)
  return named(run, full, node)
}

function roleOfMember(role: Role | null, key: string | null): Role | null {
  if (key === 'constructor') return 'constructor'
  if (role === 'response' && key === 'headers') return 'headers'
  if (role === 'headers' && key?.toLowerCase() === 'location') return 'location'
  if (role === 'package' || role === 'sender') return role
  if (key === 'length' || key === 'size') return 'atom'
  return null
}

/** What a member of a value may be. `key` null is a computed one, which may be any. */
export function getMember(run: Run, value: Value, key: string | null, node: Node): Value {
  spend(run, 1)
  const [single] = value
  if (value.length === 1 && single !== undefined) return memberOf(run, single, key, node)
  const results: Value[] = []
  for (const one of value) {
    // Nothing has members of these: another alternative is what is meant.
    if (one.k === 'primitive' && (one.value === null || one.value === undefined)) continue
    results.push(memberOf(run, one, key, node))
  }
  return results.length === 0 ? UNDEFINED : union(...results)
}

function memberOf(run: Run, one: Alternative, key: string | null, node: Node): Value {
  switch (one.k) {
    case 'any': {
      if (key === '__proto__') return builtin('Object.prototype')
      const role = roleOfMember(one.role, key)
      if (role === null && one.role === null && one.data === null) return [one]
      return [unknown(one.from, { secrets: one.secrets, hidden: one.hidden, role })]
    }
    case 'builtin':
      return builtinMember(run, one, key, node)
    case 'thing':
      return thingMember(run, one, key, node)
    case 'items':
      if (key === null)
        return one.items.length === 0
          ? one.more
            ? [one.more]
            : UNDEFINED
          : union(...one.items, one.more ? [one.more] : (one.items[0] as Value))
      if (/^\d+$/.test(key)) return one.items[Number(key)] ?? (one.more ? [one.more] : UNDEFINED)
      if (key === 'length')
        return one.more ? anything('computed', { role: 'atom' }) : primitive(one.items.length)
      if (key === 'constructor') return builtin('Array')
      if (key === '__proto__') return builtin('Array.prototype')
      if (!Object.hasOwn(Array.prototype, key)) return one.more === null ? UNDEFINED : [one.more]
      return builtin(`Array.prototype.${key}`)
    case 'text': {
      const constant = constantOf(one)
      if (key === 'length')
        return constant === null ? anything('computed', { role: 'atom' }) : primitive(constant.length)
      if (key === null) return [mixed([[one]])]
      if (/^\d+$/.test(key)) {
        const char = constant?.[Number(key)]
        return char === undefined ? [mixed([[one]])] : text(char)
      }
      if (key === 'constructor') return builtin('String')
      if (key === '__proto__') return builtin('String.prototype')
      return Object.hasOwn(String.prototype, key) ? builtin(`String.prototype.${key}`) : UNDEFINED
    }
    case 'primitive':
      if (one.value === null || one.value === undefined) return UNDEFINED
      if (key === null) return anything('computed')
      if (key === 'constructor') return builtin('Number')
      return /^(?:to\w+|valueOf)$/.test(key) ? builtin(`Number.prototype.${key}`) : UNDEFINED
    case 'function':
      return functionMember(run, one, key, node)
    case 'class':
      return classMember(run, one, key, node)
    default:
      return anything('computed')
  }
}

function functionMember(run: Run, one: FunctionValue, key: string | null, node: Node): Value {
  if (key === null) return anything('computed')
  const own = one.props.get(key)
  if (own !== undefined) return own
  if (key === 'constructor' || key === '__proto__') {
    if (key === '__proto__') return builtin('Function.prototype')
    run.sink.danger('code_from_text', lineOf(node), 'constructor')
    return builtin('Function')
  }
  if (key === 'prototype') {
    const proto: Value = [thing()]
    one.props.set(key, proto)
    return proto
  }
  return Object.hasOwn(Function.prototype, key) ? builtin(`Function.prototype.${key}`) : UNDEFINED
}

function classMember(
  run: Run,
  one: ClassValue,
  key: string | null,
  node: Node,
  self: ClassValue = one,
): Value {
  if (key === null) return one.props.size === 0 ? anything('computed') : union(...one.props.values())
  const own = one.props.get(key)
  if (own !== undefined) return own
  const getter = one.props.get(`get ${key}`)
  if (getter !== undefined) return run.call(getter, [self], [], node)
  if (key === 'prototype') return prototypeOf(one)
  if (one.parent !== null) {
    const above = one.parent.map((parent) =>
      parent.k === 'class' ? classMember(run, parent, key, node, self) : getMember(run, [parent], key, node),
    )
    return union(...above)
  }
  if (key === 'constructor') {
    run.sink.danger('code_from_text', lineOf(node), 'constructor')
    return builtin('Function')
  }
  return anything('computed')
}
