import { linkArguments } from './arguments.ts'
import { isFunction, type Node } from './ast.ts'
import { keyName } from './members.ts'
import { bindPattern } from './patterns.ts'
import { type Run, spend, write } from './run.ts'
import { parentClass } from './things.ts'
import {
  anything,
  type ClassValue,
  type Frame,
  type FunctionValue,
  items,
  type Thing,
  thing,
  UNDEFINED,
  union,
  unknown,
  type Value,
} from './values.ts'

const DEEPEST_CALL = 24
const MOST_LEVELS = 16
const LONGEST_SIGNATURE = 2000
const LONGEST_PART = 500

/** Remembers the name that a function is kept under. */
export function nameFunction(run: Run, value: Node | null, name: string | null): void {
  if (value !== null && name !== null && isFunction(value)) run.names.set(value, name)
}

export function makeFunction(
  run: Run,
  node: Node,
  frame: Frame,
  self: Value | null,
  home: ClassValue | null,
): FunctionValue {
  const made: FunctionValue = { k: 'function', node, frame, self, home, props: new Map(), memo: new Map() }
  run.closures.push(made)
  return made
}

const IDS = new WeakMap<object, number>()
let lastId = 0
const idOf = (of: object): number => {
  let id = IDS.get(of)
  if (id === undefined) {
    id = ++lastId
    IDS.set(of, id)
  }
  return id
}

/** Arguments as a string that is the same for the same arguments; null when they are too large to tell. */
function signatureOf(values: readonly Value[]): string | null {
  let signature = ''
  let budget = 120
  const add = (value: Value, depth: number): boolean => {
    for (const one of value) {
      if (--budget < 0 || signature.length > LONGEST_SIGNATURE) return false
      if (one.k === 'primitive') signature += `p${String(one.value)}`
      else if (one.k === 'builtin') signature += `b${one.name}${one.data === null ? '' : idOf(one.data)}`
      else if (one.k === 'any') {
        signature += `?${one.from}${one.role ?? ''}${one.hidden ?? ''}${one.secrets.join()}${one.data === null ? '' : idOf(one.data)}`
      } else if (one.k === 'text') {
        signature += `t${one.hidden ?? ''}`
        for (const part of one.parts) {
          if (
            typeof part !== 'string'
              ? part.k === 'decoded' && part.text.length > LONGEST_PART
              : part.length > LONGEST_PART
          )
            return false
          if (typeof part === 'string') signature += JSON.stringify(part)
          else if (part.k === 'decoded') signature += `d${JSON.stringify(part.text)}`
          else if (!add([part], depth)) return false
        }
      } else if (one.k === 'thing') {
        if (depth > 3) return false
        signature += `{${one.role ?? ''}${one.made === null ? '' : idOf(one.made)}`
        if (one.rest !== null && !add([one.rest], depth + 1)) return false
        for (const [key, item] of one.props) {
          signature += `,${key}:`
          if (!add(item, depth + 1)) return false
        }
        signature += '}'
      } else if (one.k === 'items') {
        if (depth > 3) return false
        signature += '['
        if (one.more !== null && !add([one.more], depth + 1)) return false
        for (const item of one.items) {
          signature += ','
          if (!add(item, depth + 1)) return false
        }
        signature += ']'
      } else signature += `#${idOf(one)}`
      signature += '|'
    }
    return true
  }
  for (const value of values) {
    signature += ';'
    if (!add(value, 0)) return null
  }
  return signature.length > LONGEST_SIGNATURE ? null : signature
}

/** What `this` is: an arrow function keeps it, a method takes what it is called on. */
const selfOf = (fn: FunctionValue, self: Value): Value =>
  fn.self === null ||
  (fn.node.type !== 'ArrowFunctionExpression' && self.some((one) => one.k !== 'primitive' && one.k !== 'any'))
    ? self
    : fn.self

/** Follows a call of one of the program's own functions. */
export function callFunction(run: Run, fn: FunctionValue, self: Value, args: readonly Value[]): Value {
  spend(run, 4)
  const { node } = fn
  const running = run.active.filter((one) => one === node).length
  // A second round of a recursion sees what the first handed on; a third would see nothing new.
  if (run.active.length >= DEEPEST_CALL || running >= 2) return anything('computed')
  const own = selfOf(fn, self)
  const signed = signatureOf([...args, own])
  const key = signed === null ? null : `${run.version} ${run.conditions.join()} ${signed}`
  const known = key === null ? undefined : fn.memo.get(key)
  if (known !== undefined) return known
  const frame: Frame = {
    owner: node,
    variables: new Map(),
    parent: fn.frame,
    self: own,
    home: fn.home,
    returns: null,
    yields: node.generator ? [] : null,
  }
  run.executed.add(node)
  run.active.push(node)
  const conditions = run.conditions.length
  const loops = run.loops
  try {
    bindParameters(run, node, frame, args)
    if (node.type === 'FunctionExpression' && node.id?.binding) frame.variables.set(node.id.binding, [fn])
    const body = node.body as Node | undefined
    if (body === undefined) return anything('computed')
    if (body.type !== 'BlockStatement') frame.returns = run.evaluate(body, frame)
    else if (!run.block(body.body, frame) && frame.returns !== null)
      frame.returns = union(frame.returns, UNDEFINED)
  } finally {
    run.active.pop()
    run.conditions.length = conditions
    run.loops = loops
  }
  const result = frame.yields !== null ? items(frame.yields) : (frame.returns ?? UNDEFINED)
  if (key !== null && fn.memo.size < 200) fn.memo.set(key, result)
  return result
}

function bindParameters(run: Run, node: Node, frame: Frame, args: readonly Value[]): void {
  if (node.type !== 'ArrowFunctionExpression') {
    const list = items([...args])
    frame.variables.set('arguments', list)
    if (!run.program.module) linkArguments(list, node, frame)
  }
  node.params.forEach((param, index) => {
    const inner = param.type === 'TSParameterProperty' ? param.parameter : param
    if (inner.type === 'Identifier' && inner.name === 'this') return
    if (inner.type === 'RestElement') {
      const rest = args.slice(index)
      bindPattern(run, inner.argument as Node, items(rest), frame, true)
      return
    }
    const value = args[index] ?? UNDEFINED
    bindPattern(run, inner, value, frame, true)
    if (param.type === 'TSParameterProperty') {
      const id = inner.type === 'AssignmentPattern' ? inner.left : inner
      for (const one of frame.self) {
        const set = id.binding ? frame.variables.get(id.binding) : undefined
        if (one.k === 'thing' && set !== undefined) write(run, one.props as Map<unknown, Value>, id.name, set)
      }
    }
  })
}

/** Calls a function that nobody in the program calls, or that something unknown calls. */
export function callUnknown(run: Run, fn: FunctionValue, given: Value = anything('computed')): Value {
  const rest = fn.node.params.map(() => given)
  return callFunction(run, fn, fn.self ?? anything('computed'), rest)
}

export function makeClass(run: Run, node: Node, frame: Frame): ClassValue {
  const parent = node.superClass ? run.evaluate(node.superClass, frame) : null
  const made: ClassValue = {
    k: 'class',
    node,
    frame,
    parent,
    props: new Map(),
    methods: new Map(),
    getters: new Map(),
  }
  if (node.id?.binding) write(run, frame.variables, node.id.binding, [made])
  tellOverrides(run, node, parent)
  for (const one of [node, ...node.body.body]) {
    for (const decorator of one.decorators ?? []) {
      run.call(
        run.evaluate(decorator.expression, frame),
        UNDEFINED,
        [[made], anything('computed')],
        decorator,
      )
    }
  }
  for (const member of node.body.body) {
    if (member.type === 'StaticBlock') continue
    const key = member.type === 'TSIndexSignature' ? null : keyName(run, member, frame)
    if (member.type === 'ClassMethod' || member.type === 'ClassPrivateMethod') {
      if (member.kind === 'constructor' && member.body === undefined) continue
      const method = makeFunction(run, member, frame, member.static ? [made] : null, made)
      if (member.kind === 'method') nameFunction(run, member, key)
      if (key === null) continue
      if (member.static) made.props.set(member.kind === 'get' ? `get ${key}` : key, [method])
      else if (member.kind === 'get') made.getters.set(key, method)
      else if (member.kind === 'set') made.methods.set(`set ${key}`, method)
      else made.methods.set(key, method)
    }
  }
  for (const member of node.body.body) {
    if (!member.static && member.type !== 'StaticBlock') continue
    const inside = fieldFrame(member, made, [made])
    if (member.type === 'StaticBlock') run.statement(member, { ...inside, owner: frame.owner })
    else if (/Property$/.test(member.type)) {
      const key = keyName(run, member, frame)
      const value = member.value as Node | null
      const set = value ? run.evaluate(value, inside) : UNDEFINED
      if (key !== null) made.props.set(key, set)
    }
  }
  return made
}

const OVERRIDDEN: ReadonlySet<string> = new Set(
  'Request URL URLSearchParams Headers Response WebSocket XMLHttpRequest String Array Promise Map'.split(' '),
)

/** A class that is the platform's by its parent and something else by what its members answer. */
function tellOverrides(run: Run, node: Node, parent: Value | null): void {
  for (const one of parent ?? []) {
    if (one.k !== 'builtin' || !OVERRIDDEN.has(one.name)) continue
    for (const member of node.body.body) {
      if (
        member.static ||
        (member.type !== 'ClassMethod' && member.type !== 'ClassAccessorProperty') ||
        member.kind === 'constructor'
      )
        continue
      run.sink.danger('replaced_builtin', member.loc.start.line, `a part of ${one.name}`)
    }
  }
}

const fieldFrame = (member: Node, made: ClassValue, self: Value): Frame => ({
  owner: member,
  variables: new Map(),
  parent: made.frame,
  self,
  home: made,
  returns: null,
  yields: null,
})

/** `new` on one of the program's classes. */
export function instantiate(run: Run, made: ClassValue, args: readonly Value[], node: Node): Value {
  spend(run, 4)
  const self: Thing = { ...thing(), made }
  rememberInstance(run, made, self)
  const before = run.active.filter((one) => one === made.node).length
  if (before >= 2 || run.active.length >= DEEPEST_CALL) return [self]
  run.active.push(made.node)
  try {
    construct(run, made, self, args, node)
  } finally {
    run.active.pop()
  }
  return instanceOf(self)
}

/** What `new` gives: the object itself, or what a constructor gave back in its place. */
export const instanceOf = (self: Thing): Value => union([self], self.props.get(' instead') ?? [self])

/** `super(...)` of a class that extends one of the platform's: what that makes is kept beside the object. */
export function constructSuper(
  run: Run,
  made: ClassValue,
  self: Thing,
  args: readonly Value[],
  node: Node,
): void {
  for (const parent of made.parent ?? []) {
    if (parent.k !== 'builtin' || parent.name === 'Object') continue
    const platform = run.construct(parent, args, node)
    self.props.set(' super', union(self.props.get(' super') ?? platform, platform))
  }
}

const MOST_INSTANCES = 8

function rememberInstance(run: Run, made: ClassValue, self: Thing): void {
  let at: ClassValue | null = made
  for (let level = 0; at !== null && level < MOST_LEVELS; level++) {
    const known = run.instances.get(at.node)
    if (known === undefined) run.instances.set(at.node, [self])
    else if (known.length < MOST_INSTANCES) known.push(self)
    at = parentClass(at)
  }
}

/** Runs the fields and the constructor of a class, or of its parent when it has none. */
export function construct(
  run: Run,
  made: ClassValue,
  self: Thing,
  args: readonly Value[],
  node: Node,
  level = 0,
): void {
  const init = made.methods.get('constructor')
  const parent = parentClass(made)
  if (init === undefined && parent !== null && level < MOST_LEVELS) {
    construct(run, parent, self, args, node, level + 1)
  } else if (init === undefined && parent === null) constructSuper(run, made, self, args, node)
  for (const member of made.node.body.body) {
    if (member.static || !/Property$/.test(member.type)) continue
    const inside = fieldFrame(member, made, [self])
    const key = keyName(run, member, made.frame)
    const value = member.value as Node | null
    nameFunction(run, value, key)
    const set = value ? run.evaluate(value, inside) : UNDEFINED
    for (const one of instanceOf(self))
      if (one.k === 'thing' && key !== null) write(run, one.props as Map<unknown, Value>, key, set)
  }
  if (init === undefined) return
  const instead = callFunction(run, init, [self], args).filter((one) => one.k !== 'primitive' && one !== self)
  if (instead.length > 0) self.props.set(' instead', union(self.props.get(' instead') ?? instead, instead))
}

/** An instance for methods that nobody calls, made with unknown arguments. */
export function unknownInstance(run: Run, made: ClassValue, node: Node): Value {
  const self: Thing = { ...thing(), made }
  self.rest = unknown('computed')
  construct(run, made, self, new Array<Value>(4).fill(anything('computed')), node)
  return [self]
}
