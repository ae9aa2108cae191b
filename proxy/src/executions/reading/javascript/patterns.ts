import { setMember } from './assignments.ts'
import { lineOf, type Node } from './ast.ts'
import { elementsOf } from './lists.ts'
import { getMember, keyName } from './members.ts'
import { type Run, setVariable, spend } from './run.ts'
import {
  anything,
  type Frame,
  items,
  mixed,
  type Thing,
  thing,
  UNDEFINED,
  underCondition,
  union,
  type Value,
} from './values.ts'

/** Destructuring: gives what a pattern names the parts of `value`. */
export function bindPattern(
  run: Run,
  pattern: Node,
  value: Value,
  frame: Frame,
  isDeclaration: boolean,
): void {
  spend(run, 1)
  switch (pattern.type) {
    case 'Identifier': {
      const label = run.conditions.at(-1)
      const kept = label === undefined || isDeclaration ? value : underCondition(value, label)
      if (pattern.binding) setVariable(run, pattern.binding, kept, frame, isDeclaration)
      else if (pattern.binding === null)
        setMember(run, [{ k: 'builtin', name: 'globalThis', data: null }], pattern.name, value, pattern)
      return
    }
    case 'ObjectPattern':
      bindObject(run, pattern, value, frame, isDeclaration)
      return
    case 'ArrayPattern': {
      const elements = elementsOf(run, value, frame)
      pattern.elements.forEach((target, index) => {
        if (target === null) return
        if (target.type === 'RestElement') {
          const rest = elements === null ? items([], mixed([value])) : items(elements.slice(index))
          bindPattern(run, target.argument as Node, rest, frame, isDeclaration)
          return
        }
        const element = elementAt(run, value, elements, index, target)
        bindPattern(run, target, element, frame, isDeclaration)
      })
      return
    }
    case 'AssignmentPattern': {
      const missing = value.some(
        (one) => one.k === 'any' || (one.k === 'primitive' && one.value === undefined),
      )
      const present = value.filter((one) => !(one.k === 'primitive' && one.value === undefined))
      const all = missing ? union(present, run.evaluate(pattern.right, frame)) : value
      bindPattern(run, pattern.left, all, frame, isDeclaration)
      return
    }
    case 'RestElement':
      bindPattern(run, pattern.argument as Node, value, frame, isDeclaration)
      return
    case 'TSParameterProperty':
      bindPattern(run, pattern.parameter, value, frame, isDeclaration)
      return
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      setMember(run, run.evaluate(pattern.object, frame), keyName(run, pattern, frame), value, pattern)
      return
    default:
      run.evaluate(pattern, frame)
  }
}

const elementAt = (
  run: Run,
  value: Value,
  elements: readonly Value[] | null,
  index: number,
  node: Node,
): Value =>
  union(
    ...value.map((one): Value => {
      if (one.k === 'items') return one.items[index] ?? (one.more === null ? UNDEFINED : [one.more])
      if (one.k === 'thing') {
        // An object that is no list says by itself what it hands on.
        if (value.length > 1 || elements === null) return anything('computed')
        return elements[index] ?? UNDEFINED
      }
      return getMember(run, [one], String(index), node)
    }),
  )

function bindObject(run: Run, pattern: Node, value: Value, frame: Frame, isDeclaration: boolean): void {
  const taken: string[] = []
  for (const property of pattern.properties) {
    if (property.type === 'RestElement') {
      const rest = value.map((one): Value[number] => {
        if (one.k !== 'thing') {
          if (one.k === 'builtin') getMember(run, [one], null, property)
          return one.k === 'any' ? one : mixed([[one]])
        }
        const left: Thing = thing([...one.props].filter(([key]) => !taken.includes(key)))
        left.rest = one.rest
        return left
      })
      bindPattern(run, property.argument as Node, rest, frame, isDeclaration)
      continue
    }
    const key = keyName(run, property, frame)
    if (key !== null) taken.push(key)
    if (key === 'constructor') run.sink.danger('code_from_text', lineOf(property), 'constructor')
    bindPattern(run, property.value, getMember(run, value, key, property), frame, isDeclaration)
  }
}
