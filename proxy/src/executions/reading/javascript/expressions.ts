import { withParameters } from './arguments.ts'
import { bare, eachChild, literalOf, type Node } from './ast.ts'
import { evaluateCall, evaluateImport, evaluateNew, evaluateTagged } from './calls.ts'
import { makeClass, makeFunction, nameFunction } from './functions.ts'
import { elementsOf } from './lists.ts'
import { anyElement } from './loops.ts'
import { getMember, globalValue, keyName, keyNames } from './members.ts'
import {
  evaluateAssignment,
  evaluateBinary,
  evaluateChoice,
  evaluateLogical,
  evaluateSum,
  evaluateUnary,
  evaluateUpdate,
} from './operators.ts'
import { promised } from './promises.ts'
import { type Run, readVariable, spend } from './run.ts'
import { toTexts } from './texts.ts'
import { ownEntries, superMember } from './things.ts'
import {
  type Alternative,
  anything,
  builtin,
  concat,
  type Frame,
  items,
  mixed,
  NULL,
  primitive,
  type Text,
  type Thing,
  text,
  thing,
  UNDEFINED,
  underCondition,
  union,
  unknown,
  type Value,
} from './values.ts'

export function evaluateIn(run: Run, node: Node, frame: Frame): Value {
  spend(run, 1)
  switch (node.type) {
    case 'StringLiteral':
      return text(String(literalOf(node)))
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return primitive(literalOf(node) as number | boolean)
    case 'NullLiteral':
      return NULL
    case 'BigIntLiteral':
      return text(String(node.value))
    case 'RegExpLiteral':
      return builtin(`regex ${node.pattern}/${node.flags}`)
    case 'TemplateLiteral':
      return evaluateTemplate(run, node, frame)
    case 'Identifier':
      if (node.binding) return readVariable(run, node.binding, frame)
      if (node.name === 'arguments') return findArguments(frame)
      return globalValue(run, node.name, node)
    case 'ThisExpression':
      return frame.self
    case 'MemberExpression':
    case 'OptionalMemberExpression': {
      if (node.object.type === 'Super') return superMember(run, frame, keyName(run, node, frame), node)
      const object = run.evaluate(node.object, frame)
      const { names, hidden } = keyNames(run, node, frame)
      if (names === null) return chosen(getMember(run, object, null, node), hidden)
      const found = union(...names.map((key) => getMember(run, object, key, node)))
      return names.length > 1 ? chosen(found, hidden) : found
    }
    case 'CallExpression':
    case 'OptionalCallExpression':
      return evaluateCall(run, node, frame)
    case 'NewExpression':
      return evaluateNew(run, node, frame)
    case 'ImportExpression':
      return evaluateImport(run, node, frame)
    case 'TaggedTemplateExpression':
      return evaluateTagged(run, node, frame)
    case 'ArrowFunctionExpression':
      return [makeFunction(run, node, frame, frame.self, frame.home)]
    case 'FunctionExpression':
      return [makeFunction(run, node, frame, null, null)]
    case 'ClassExpression':
      return [makeClass(run, node, frame)]
    case 'ObjectExpression':
      return evaluateObject(run, node, frame)
    case 'ArrayExpression':
      return evaluateArray(run, node, frame)
    case 'UnaryExpression':
      return evaluateUnary(run, node, frame)
    case 'BinaryExpression':
      return node.operator === '+' ? evaluateSum(run, node, frame) : evaluateBinary(run, node, frame)
    case 'LogicalExpression':
      return evaluateLogical(run, node, frame)
    case 'ConditionalExpression':
      return evaluateChoice(run, node, frame)
    case 'AssignmentExpression':
      return evaluateAssignment(run, node, frame)
    case 'UpdateExpression':
      return evaluateUpdate(run, node, frame)
    case 'SequenceExpression': {
      let last: Value = UNDEFINED
      for (const one of node.expressions) last = run.evaluate(one, frame)
      return last
    }
    case 'AwaitExpression':
      return settled(run, run.evaluate(node.argument as Node, frame), node)
    case 'YieldExpression': {
      const value = node.argument ? run.evaluate(node.argument, frame) : UNDEFINED
      if (frame.yields !== null && frame.yields.length < 64) {
        frame.yields.push(...(node.delegate ? (elementsOf(run, value, frame) ?? [value]) : [value]))
      }
      return anything('computed')
    }
    case 'MetaProperty':
      return builtin('import.meta')
    case 'Super':
      return frame.self
    default: {
      const inner = bare(node)
      if (inner !== node) return run.evaluate(inner, frame)
      eachChild(node, (child) => {
        run.evaluate(child, frame)
      })
      return anything('computed')
    }
  }
}

/** What a key picks that hangs on something hidden; to draw one of several that all stand here is nothing of that kind. */
const chosen = (value: Value, hidden: string | null): Value =>
  hidden === null || /^\?|^Math\.random$|^crypto$/.test(hidden) ? value : underCondition(value, hidden)

const decidesItself = (one: Alternative): boolean =>
  one.k === 'thing' && (one.props.has('then') || one.made?.methods.has('then') === true)

/** What `await` gives: an object with `then` decides that by itself. */
function settled(run: Run, value: Value, node: Node): Value {
  if (!value.some(decidesItself)) return value
  return union(
    ...value.map((one): Value => {
      if (!decidesItself(one)) return [one]
      return promised((resolve) => run.call(getMember(run, [one], 'then', node), [one], [resolve], node))
    }),
  )
}

function findArguments(frame: Frame): Value {
  for (let at: Frame | null = frame; at !== null; at = at.parent) {
    const found = at.variables.get('arguments')
    if (found !== undefined) return withParameters(found, at)
  }
  return anything('computed')
}

function evaluateTemplate(run: Run, node: Node, frame: Frame): Value {
  let all: Text[] = [{ k: 'text', parts: [node.quasis[0]?.value.cooked ?? ''], hidden: null }]
  node.expressions.forEach((expression, index) => {
    all = concat(all, toTexts(run, run.evaluate(expression, frame)))
    const after = node.quasis[index + 1]?.value.cooked ?? ''
    if (after !== '') all = concat(all, [{ k: 'text', parts: [after], hidden: null }])
  })
  return all
}

function evaluateObject(run: Run, node: Node, frame: Frame): Value {
  const made: Thing = thing()
  let hasGetter = false
  for (const property of node.properties) {
    if (property.type === 'SpreadElement') {
      spread(run, made, run.evaluate(property.argument as Node, frame), property)
      continue
    }
    const key = keyName(run, property, frame)
    if (property.type === 'ObjectMethod') {
      const method: Value = [makeFunction(run, property, frame, [made], null)]
      if (property.kind === 'method') nameFunction(run, property, key)
      if (key === null) made.rest = unknown('computed')
      else {
        if (property.kind === 'get') hasGetter = true
        if (property.kind !== 'method') made.props.delete(key)
        else if (hasGetter) made.props.delete(`get ${key}`)
        made.props.set(property.kind === 'method' ? key : `${property.kind} ${key}`, method)
      }
      continue
    }
    nameFunction(run, property.value, key)
    const value = run.evaluate(property.value, frame)
    if (key === null) made.rest = mixed([made.rest === null ? [] : [made.rest], value])
    else if (key !== '__proto__' || property.shorthand || property.computed) {
      if (hasGetter) made.props.delete(`get ${key}`)
      made.props.set(key, value)
    } else made.proto = value
  }
  return [made]
}

/** `{...value}`: what an unknown value brings may stand in the place of everything before it. */
function spread(run: Run, made: Thing, value: Value, node: Node): void {
  const present = value.filter(
    (one) =>
      !(one.k === 'primitive' && (one.value === undefined || one.value === null || one.value === false)),
  )
  const maybe = present.length > 1 || present.length < value.length
  for (const one of present) {
    if (one.k === 'thing') {
      for (const [key, item] of ownEntries(run, one, node)) {
        const old =
          made.props.get(key) ?? (made.props.has(`get ${key}`) ? run.member([made], key, node) : UNDEFINED)
        made.props.delete(`get ${key}`)
        made.props.set(key, maybe ? union(old, item) : item)
      }
      if (one.rest !== null) openUp(made, one.rest)
    } else if (one.k === 'function' || one.k === 'class') {
      for (const [key, item] of one.props) made.props.set(key, item)
    } else if (one.k === 'any') openUp(made, one)
    else if (one.k === 'builtin') openUp(made, mixed([getMember(run, [one], null, node)]))
  }
}

function openUp(made: Thing, rest: Alternative & { readonly k: 'any' }): void {
  for (const [key, item] of made.props) made.props.set(key, union(item, [rest]))
  made.rest = mixed([made.rest === null ? [] : [made.rest], [rest]])
}

function evaluateArray(run: Run, node: Node, frame: Frame): Value {
  const list: Value[] = []
  let more: Value = []
  for (const element of node.elements) {
    if (element === null) list.push(UNDEFINED)
    else if (element.type === 'SpreadElement') {
      const value = run.evaluate(element.argument as Node, frame)
      const each = elementsOf(run, value, frame)
      if (each === null) more = [...more, ...anyElement(value)]
      else list.push(...each)
    } else if (list.length < 4096) list.push(run.evaluate(element, frame))
  }
  return items(list, more.length === 0 ? null : mixed([more]))
}
