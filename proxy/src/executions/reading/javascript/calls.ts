import { bare, lineOf, type Node } from './ast.ts'
import { constructPlatform } from './constructors.ts'
import { callFunction, construct, constructSuper, instanceOf, instantiate } from './functions.ts'
import { importModule } from './imports.ts'
import { anyOf, arrayMethod, elementsOf } from './lists.ts'
import { getMember, keyName, keyNames } from './members.ts'
import { clientMethod, thingMethod } from './objects.ts'
import { opaque } from './opaque.ts'
import { callPlatform } from './platform.ts'
import { type Run, spend, withCondition } from './run.ts'
import { textMethod, toTexts } from './texts.ts'
import { isUndefined, parentClass, superMember, superOf, trapOf, trapped } from './things.ts'
import {
  type Alternative,
  anything,
  type Frame,
  items,
  mixed,
  only,
  thing,
  UNDEFINED,
  union,
  type Value,
} from './values.ts'

/** The arguments of a call, once for each list that a spread may bring. */
function argumentLists(run: Run, node: Node, frame: Frame): Value[][] {
  let lists: Value[][] = [[]]
  for (const argument of node.arguments) {
    if (argument.type !== 'SpreadElement') {
      const value = run.evaluate(argument, frame)
      for (const list of lists) list.push(value)
      continue
    }
    const value = run.evaluate(argument.argument as Node, frame)
    const spreads =
      value.length * lists.length <= 32
        ? value.map((one) => elementsOf(run, [one], frame) ?? new Array<Value>(4).fill(anyOf([one])))
        : [new Array<Value>(4).fill(anyOf(value))]
    lists = lists.flatMap((list) => spreads.map((more) => [...list, ...more]))
  }
  return lists
}

export function evaluateCall(run: Run, node: Node, frame: Frame): Value {
  const callee = bare(node.callee)
  if (callee.type === 'Import')
    return importModule(
      run,
      node.arguments[0] === undefined ? UNDEFINED : run.evaluate(node.arguments[0], frame),
      node,
      true,
    )
  if (callee.type === 'Super') {
    const lists = argumentLists(run, node, frame)
    const parent = frame.home === null ? null : parentClass(frame.home)
    const self = frame.self.find((one) => one.k === 'thing')
    if (self?.k !== 'thing' || frame.home === null) return UNDEFINED
    for (const args of lists) {
      if (parent !== null) construct(run, parent, self, args, node)
      else constructSuper(run, frame.home, self, args, node)
    }
    frame.self = union(frame.self, instanceOf(self))
    return UNDEFINED
  }
  if (callee.type === 'MemberExpression' || callee.type === 'OptionalMemberExpression') {
    if (callee.object.type === 'Super') {
      const method = superMember(run, frame, keyName(run, callee, frame), callee)
      return union(...argumentLists(run, node, frame).map((args) => run.call(method, frame.self, args, node)))
    }
    const self = run.evaluate(callee.object, frame)
    const { names, hidden } = keyNames(run, callee, frame)
    const lists = argumentLists(run, node, frame)
    const keys = names ?? [null]
    const label = hidden === null || hidden.startsWith('?') || names?.length === 1 ? null : hidden
    return withCondition(run, label, () =>
      union(...lists.flatMap((args) => keys.map((key) => callMethod(run, self, key, args, node, callee)))),
    )
  }
  const target = run.evaluate(callee, frame)
  return union(...argumentLists(run, node, frame).map((args) => run.call(target, UNDEFINED, args, node)))
}

/** `self.key(...args)` for everything that `self` may be. */
export function callMethod(
  run: Run,
  self: Value,
  key: string | null,
  args: readonly Value[],
  node: Node,
  member: Node,
): Value {
  const results: Value[] = []
  for (const one of self) {
    if (one.k === 'primitive' && (one.value === null || one.value === undefined) && self.length > 1) continue
    results.push(methodOn(run, one, key, args, node, member))
  }
  return results.length === 0 ? anything('computed') : union(...results)
}

function methodOn(
  run: Run,
  one: Alternative,
  key: string | null,
  args: readonly Value[],
  node: Node,
  member: Node,
): Value {
  spend(run, 1)
  if (key === 'then') return run.call(args[0] ?? UNDEFINED, UNDEFINED, [[one]], node)
  if (key === 'finally') {
    run.call(args[0] ?? UNDEFINED, UNDEFINED, [], node)
    return [one]
  }
  if (key === 'catch' && one.k !== 'builtin')
    return union([one], run.call(args[0] ?? UNDEFINED, UNDEFINED, [anything('computed')], node))
  if (key !== null) {
    if (key === 'constructor' && !(one.k === 'thing' && member.object.type === 'ThisExpression')) {
      run.sink.danger('code_from_text', lineOf(node), 'constructor')
    }
    if (
      (key === 'call' || key === 'apply' || key === 'bind') &&
      !(one.k === 'builtin' && one.name === 'Reflect')
    ) {
      const indirect = viaFunction(run, one, key, args, node)
      if (indirect !== null) return indirect
    }
    const known =
      one.k === 'text'
        ? textMethod(run, one, key, args)
        : one.k === 'items'
          ? key === 'join'
            ? joinItems(run, one, args)
            : arrayMethod(run, one, key, args, node)
          : one.k === 'thing'
            ? thingMethod(run, one, key, args, node)
            : one.k === 'any'
              ? clientMethod(run, one, key, args)
              : null
    if (known !== null) return known
  }
  if (one.k === 'items' && (key === null || /^\d+$/.test(key))) {
    return run.call(getMember(run, [one], key, member), [one], args, node)
  }
  if (one.k === 'text' || one.k === 'items' || one.k === 'any' || one.k === 'primitive') {
    if (one.k === 'any' && key === null) getMember(run, [one], null, member)
    return opaque(run, one, key, args, node)
  }
  if (one.k === 'thing' && one.role === 'Proxy' && trapOf(run, one, 'get', node) === null)
    return callMethod(run, one.props.get(' target') ?? UNDEFINED, key, args, node, member)
  const method = getMember(run, [one], key, member)
  const platform = one.k === 'thing' && isUndefined(method) ? superOf(one) : null
  if (platform !== null) return callMethod(run, platform, key, args, node, member)
  if (one.k === 'thing' && method.length === 1 && method[0] === UNDEFINED[0])
    return opaque(run, one, key, args, node)
  return run.call(method, [one], args, node)
}

function joinItems(run: Run, one: Alternative, args: readonly Value[]): Value | null {
  if (one.k !== 'items' || one.more !== null || one.items.length > 256) return [mixed([[one], ...args])]
  const separator = args[0] === undefined ? ',' : only(args[0])
  if (separator === null) return [mixed([[one], ...args])]
  let all = toTexts(run, [{ k: 'text', parts: [''], hidden: null }])
  one.items.forEach((item, index) => {
    spend(run, 1)
    const left: Value =
      index > 0 && separator !== ''
        ? concatTexts(run, all, [{ k: 'text', parts: [separator], hidden: null }])
        : all
    all = toTexts(run, concatTexts(run, left, item))
  })
  return all
}

const concatTexts = (run: Run, left: Value, right: Value): Value =>
  textMethod(run, { k: 'text', parts: [''], hidden: null }, 'concat', [left, right]) ?? [
    mixed([left, right, run === null ? [] : []]),
  ]

/** `fn.call(self, …)`, `fn.apply(self, […])`, `fn.bind(self, …)`. */
function viaFunction(
  run: Run,
  one: Alternative,
  key: string,
  args: readonly Value[],
  node: Node,
): Value | null {
  if (one.k !== 'function' && one.k !== 'builtin' && one.k !== 'bound' && one.k !== 'class') return null
  const self = args[0] ?? UNDEFINED
  if (key === 'bind') return [{ k: 'bound', target: one, self, args: args.slice(1) }]
  if (key === 'call') return run.call([one], self, args.slice(1), node)
  const given = args[1] ?? items([])
  const lists = given.map((list) => elementsOf(run, [list], null) ?? new Array<Value>(4).fill(anyOf([list])))
  return union(...lists.map((list) => run.call([one], self, list, node)))
}

/** Calls whatever `target` may be. */
export function callValue(run: Run, target: Value, self: Value, args: readonly Value[], node: Node): Value {
  const results: Value[] = []
  for (const one of target) {
    for (const list of apart(one, args)) results.push(callOne(run, one, self, list, node))
  }
  return results.length === 0 ? anything('computed') : union(...results)
}

/** A table's row stays together: one call for each row that an argument may be. */
function apart(target: Alternative, args: readonly Value[]): (readonly Value[])[] {
  if (target.k !== 'function') return [args]
  const index = args.findIndex(
    (arg) => arg.length > 1 && arg.filter((one) => one.k === 'thing' || one.k === 'items').length > 1,
  )
  if (index < 0) return [args]
  return (args[index] as Value).map((one) => args.map((arg, at) => (at === index ? [one] : arg)))
}

function callOne(run: Run, one: Alternative, self: Value, args: readonly Value[], node: Node): Value {
  spend(run, 1)
  switch (one.k) {
    case 'function': {
      const sloppy = !run.program.module && self === UNDEFINED && one.node.type !== 'ArrowFunctionExpression'
      return callFunction(run, one, sloppy ? [{ k: 'builtin', name: 'globalThis', data: null }] : self, args)
    }
    case 'builtin':
      return callPlatform(run, one, self, args, node)
    case 'bound':
      return callOne(run, one.target, one.self, [...one.args, ...args], node)
    case 'any':
      if (one.role === 'constructor') run.sink.danger('code_from_text', lineOf(node), 'constructor')
      return opaque(run, one, null, args, node)
    case 'primitive':
      return args.length === 0 ? anything('computed') : opaque(run, null, null, args, node)
    case 'thing': {
      if (one.role !== 'Proxy') return opaque(run, one, null, args, node)
      const answer = trapped(run, one, 'apply', [self, items([...args])], node)
      return answer ?? callValue(run, one.props.get(' target') ?? UNDEFINED, self, args, node)
    }
    default:
      return opaque(run, one, null, args, node)
  }
}

export function evaluateNew(run: Run, node: Node, frame: Frame): Value {
  const callee = bare(node.callee)
  const target = run.evaluate(callee, frame)
  const lists = argumentLists(run, node, frame)
  const ofThis = callee.type === 'MemberExpression' && callee.object.type === 'ThisExpression'
  const results: Value[] = []
  for (const args of lists) {
    for (const one of target) results.push(newOne(run, one, args, node, ofThis))
  }
  return results.length === 0 ? anything('computed') : union(...results)
}

export function newOne(
  run: Run,
  one: Alternative,
  args: readonly Value[],
  node: Node,
  ofThis: boolean,
): Value {
  switch (one.k) {
    case 'class':
      return instantiate(run, one, args, node)
    case 'builtin':
      return constructPlatform(run, one, args, node)
    case 'function': {
      const self = thing()
      self.proto = getMember(run, [one], 'prototype', node)
      const instead = callFunction(run, one, [self], args).filter((given) => given.k !== 'primitive')
      return union([self], instead.length > 0 ? instead : [self])
    }
    case 'thing': {
      if (one.role !== 'Proxy') return opaque(run, one, null, args, node)
      const answer = trapped(run, one, 'construct', [items([...args]), [one]], node)
      const target = one.props.get(' target') ?? UNDEFINED
      return answer ?? union(...target.map((inner) => newOne(run, inner, args, node, ofThis)))
    }
    case 'bound':
      return newOne(run, one.target, [...one.args, ...args], node, ofThis)
    case 'any':
      if (
        one.role === 'constructor' &&
        !ofThis &&
        args.some((arg) => arg.some((given) => given.k === 'text'))
      ) {
        run.sink.danger('code_from_text', lineOf(node), 'constructor')
      }
      return opaque(run, one, null, args, node)
    default:
      return opaque(run, one, null, args, node)
  }
}

export function evaluateImport(run: Run, node: Node, frame: Frame): Value {
  const source = node.source as Node | null
  return importModule(run, source === null ? UNDEFINED : run.evaluate(source, frame), node, true)
}

export function evaluateTagged(run: Run, node: Node, frame: Frame): Value {
  const { quasis, expressions } = node.quasi
  const raw = quasis.map((quasi): Value => [{ k: 'text', parts: [quasi.value.raw], hidden: null }])
  const values = expressions.map((expression) => run.evaluate(expression, frame))
  const strings = items(
    quasis.map((quasi): Value => [{ k: 'text', parts: [quasi.value.cooked ?? ''], hidden: null }]),
  )
  const tag = bare(node.tag)
  const isMember = tag.type === 'MemberExpression'
  const self = isMember ? run.evaluate(tag.object, frame) : UNDEFINED
  const target = isMember ? getMember(run, self, keyName(run, tag, frame), tag) : run.evaluate(tag, frame)
  if (target.some((one) => one.k === 'builtin' && one.name === 'String.raw')) {
    const pieces = raw.flatMap((piece, index) =>
      values[index] === undefined ? [piece] : [piece, values[index] as Value],
    )
    return textMethod(run, { k: 'text', parts: [''], hidden: null }, 'concat', pieces) ?? anything('computed')
  }
  return run.call(target, self, [strings, ...values], node)
}
