import { setMember, tellReplaced } from './assignments.ts'
import { bare, lineOf, type Node } from './ast.ts'
import { under } from './branches.ts'
import { conditionOf, decided } from './conditions.ts'
import { keyName } from './members.ts'
import { bindPattern } from './patterns.ts'
import { GLOBALS } from './platform-names.ts'
import { branch, join, type Run, setVariable, spend } from './run.ts'
import { toTexts } from './texts.ts'
import {
  type Alternative,
  anything,
  concat,
  constantOf,
  type Frame,
  mixed,
  primitive,
  UNDEFINED,
  underCondition,
  union,
  type Value,
} from './values.ts'

export function evaluateUnary(run: Run, node: Node, frame: Frame): Value {
  const value = run.evaluate(node.argument as Node, frame)
  const [one] = value
  switch (node.operator) {
    case '!': {
      const known = new Set(value.map(truth))
      if (known.size === 1 && !known.has(null)) return primitive(!known.has(true))
      return union(...value.map((alternative): Value => [mixed([[alternative]])]))
    }
    case '-':
    case '+':
      if (value.length === 1 && one?.k === 'primitive' && typeof one.value === 'number')
        return primitive(node.operator === '-' ? -one.value : one.value)
      return [{ ...mixed([value]), role: 'atom' }]
    case 'typeof': {
      const { hidden } = mixed([value])
      return anything('computed', { role: 'atom', hidden })
    }
    case 'void':
      return UNDEFINED
    case 'delete':
      if (node.argument?.type === 'MemberExpression') {
        tellReplaced(run, run.evaluate(node.argument.object, frame), keyName(run, node.argument, frame), node)
      }
      return anything('computed')
    default:
      return [{ ...mixed([value]), role: 'atom' }]
  }
}

/** Whether a value counts as true; null when it can be either. */
function truth(one: Alternative): boolean | null {
  switch (one.k) {
    case 'primitive':
      return Boolean(one.value)
    case 'text': {
      const constant = constantOf(one)
      if (constant !== null) return constant !== ''
      return one.parts.some((part) => typeof part === 'string' && part !== '') ? true : null
    }
    case 'any':
      return null
    case 'builtin':
      return GLOBALS.has(one.name) ? true : null
    default:
      return true
  }
}

/** `a + b + c …`, without going down the left side one by one. */
export function evaluateSum(run: Run, node: Node, frame: Frame): Value {
  const terms: Node[] = []
  let at = node
  while (at.type === 'BinaryExpression' && at.operator === '+') {
    terms.push(at.right)
    at = bare(at.left)
  }
  let sum = run.evaluate(at, frame)
  for (let index = terms.length - 1; index >= 0; index--) {
    spend(run, 1)
    sum = add(run, sum, run.evaluate(terms[index] as Node, frame))
  }
  return sum
}

const isNumber = (one: Alternative): boolean => one.k === 'primitive' && typeof one.value === 'number'

function add(run: Run, left: Value, right: Value): Value {
  const [a] = left
  const [b] = right
  if (
    left.length === 1 &&
    right.length === 1 &&
    a?.k === 'primitive' &&
    b?.k === 'primitive' &&
    isNumber(a) &&
    isNumber(b)
  ) {
    return primitive((a.value as number) + (b.value as number))
  }
  const isText = (one: Alternative): boolean => one.k === 'text' || one.k === 'items' || one.k === 'thing'
  if (left.some(isText) || right.some(isText)) return concat(toTexts(run, left), toTexts(run, right))
  const both = mixed([left, right])
  const atoms = [...left, ...right].every((one) => isNumber(one) || (one.k === 'any' && one.role === 'atom'))
  if (atoms) return [{ ...both, role: 'atom' }]
  const numeric = [...left, ...right].some((one) => isNumber(one))
  return numeric ? [both] : concat(toTexts(run, left), toTexts(run, right))
}

/** A text between whose letters a blank stands that is not the plain one. */
const isOddlySpaced = (value: unknown): boolean =>
  typeof value === 'string' && /\S[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]\S/.test(value)

const COMPARES: ReadonlySet<string> = new Set(['===', '!==', '==', '!=', '<', '>', '<=', '>='])

export function evaluateBinary(run: Run, node: Node, frame: Frame): Value {
  const left = run.evaluate(node.left, frame)
  const right = run.evaluate(node.right, frame)
  const { operator } = node
  const [a] = left
  const [b] = right
  if (left.length === 1 && right.length === 1 && a !== undefined && b !== undefined) {
    const x = a.k === 'primitive' ? a.value : constantOf(a)
    const y = b.k === 'primitive' ? b.value : constantOf(b)
    const known =
      (a.k === 'primitive' || (a.k === 'text' && x !== null)) &&
      (b.k === 'primitive' || (b.k === 'text' && y !== null))
    if (COMPARES.has(operator) && (isOddlySpaced(x) || isOddlySpaced(y)))
      run.sink.danger('odd_spaces', lineOf(node))
    if (known && (operator === '===' || operator === '!=='))
      return primitive((x === y) === (operator === '==='))
    if (known && (operator === '==' || operator === '!=') && typeof x === typeof y)
      return primitive((x === y) === (operator === '=='))
    if (known && typeof x === 'number' && typeof y === 'number') {
      const result = calculate(operator, x, y)
      if (result !== null) return primitive(result)
    }
  }
  const both = mixed([left, right])
  const hidden = hiddenOf(operator, left, right, both.hidden, [node.left, node.right])
  return [{ ...both, hidden, role: 'atom' }]
}

function calculate(operator: string, x: number, y: number): number | boolean | null {
  switch (operator) {
    case '-':
      return x - y
    case '*':
      return x * y
    case '/':
      return x / y
    case '%':
      return x % y
    case '^':
      return x ^ y
    case '|':
      return x | y
    case '&':
      return x & y
    case '<<':
      return x << y
    case '>>':
      return x >> y
    case '<':
      return x < y
    case '>':
      return x > y
    case '<=':
      return x <= y
    case '>=':
      return x >= y
    default:
      return null
  }
}

/** What a comparison hangs on: two moments make a time that passed, a variable beside nothing only says that it is there. */
function hiddenOf(
  operator: string,
  left: Value,
  right: Value,
  label: string | null,
  sides: readonly Node[],
): string | null {
  if (label === null) return null
  const a = mixed([left]).hidden
  const b = mixed([right]).hidden
  if (label === 'Date' && a === 'Date' && b === 'Date') return null
  if (label === 'Date' && /[<>]/.test(operator) && sides.some((side) => isKept(bare(side)))) return null
  if (label === 'counter') return /^[%=!]/.test(operator) ? 'a counter of calls' : 'limit of calls'
  if (label.startsWith('?')) {
    const other = a === null ? left : right
    const isNothing = other.every(
      (one) =>
        (one.k === 'primitive' && (one.value === undefined || one.value === null)) || constantOf(one) === '',
    )
    return COMPARES.has(operator) && !isNothing ? `variable ${label.slice(1)}` : label
  }
  return label
}

/** A moment that the program keeps and sets anew, such as the end of a token. */
const isKept = (node: Node): boolean =>
  node.type === 'Identifier'
    ? node.binding?.reassigned === true
    : /Member/.test(node.type) &&
      !node.computed &&
      /expir|until|valid|refresh|last|next|stale|ttl|cached/i.test(node.property.name ?? '')

export function evaluateLogical(run: Run, node: Node, frame: Frame): Value {
  const left = run.evaluate(node.left, frame)
  const { operator } = node
  const known = new Set(left.map((one) => (operator === '??' ? isMissing(one) : truth(one))))
  const isFirst = operator === '&&' ? false : operator === '||'
  if (known.size === 1 && !known.has(null)) {
    const [value] = known
    if (operator === '??' ? value === false : value === isFirst) return left
    if (decided(node.left, left) !== null || operator === '??') return run.evaluate(node.right, frame)
  }
  const label = operator === '??' ? null : conditionOf(left)
  let right: Value = UNDEFINED
  const outcome = branch(
    run,
    under(run, label, () => {
      right = run.evaluate(node.right, frame)
      return false
    }),
  )
  join(run, [outcome, { ended: false, writes: [] }])
  const kept = left.filter((one) => {
    if (operator === '??') return isMissing(one) !== true
    return truth(one) !== !isFirst
  })
  // The args are there or they are not; what stands in for them says nothing of where they lead.
  if (
    kept.some((one) => one.k === 'any' && one.from === 'args' && one.role === null) &&
    right.every((one) => isEmptyJson(one))
  )
    return kept
  return kept.length === 0 ? right : union(kept, right)
}

const isEmptyJson = (one: Alternative): boolean => {
  const constant = constantOf(one)
  return constant !== null && /^\s*(?:\{\s*\}|\[\s*\]|null|)\s*$/.test(constant)
}

const isMissing = (one: Alternative): boolean | null => {
  if (one.k === 'primitive') return one.value === undefined || one.value === null
  return one.k === 'any' || (one.k === 'builtin' && !GLOBALS.has(one.name)) ? null : false
}

export function evaluateChoice(run: Run, node: Node, frame: Frame): Value {
  const test = node.test as Node
  const value = run.evaluate(test, frame)
  const known = decided(test, value)
  if (known !== null) return run.evaluate(known ? node.consequent : (node.alternate as Node), frame)
  const label = conditionOf(value)
  let yes: Value = UNDEFINED
  let no: Value = UNDEFINED
  const first = branch(
    run,
    under(run, label, () => {
      yes = run.evaluate(node.consequent, frame)
      return false
    }),
  )
  const second = branch(
    run,
    under(run, label, () => {
      no = run.evaluate(node.alternate as Node, frame)
      return false
    }),
  )
  join(run, [first, second])
  const both = union(yes, no)
  return label === null || label.startsWith('?') ? both : underCondition(both, label)
}

/** `n += 1`, `n = n + 1` on a variable of the module, in a function: it counts calls. */
function isCounting({ left, operator, right }: Node, frame: Frame): boolean {
  const binding = left.type === 'Identifier' ? left.binding : null
  if (!binding?.atModule || frame.owner === binding.owner) return false
  if (operator === '+=' || operator === '-=') return right.type === 'NumericLiteral'
  return (
    operator === '=' &&
    right.type === 'BinaryExpression' &&
    /^[-+]$/.test(right.operator) &&
    right.left.type === 'Identifier' &&
    right.left.binding === binding &&
    right.right.type === 'NumericLiteral'
  )
}

export function evaluateAssignment(run: Run, node: Node, frame: Frame): Value {
  const { operator, left } = node
  if (operator === '=' && !isCounting(node, frame)) {
    const value = run.evaluate(node.right, frame)
    bindPattern(run, left, value, frame, false)
    return value
  }
  if (isCounting(node, frame)) {
    const value = anything('computed', { role: 'atom', hidden: 'counter' })
    bindPattern(run, left, value, frame, false)
    return value
  }
  const old = run.evaluate(left, frame)
  const right = run.evaluate(node.right, frame)
  const value =
    operator === '+='
      ? add(run, old, right)
      : operator === '||=' || operator === '&&=' || operator === '??='
        ? union(old, right)
        : [{ ...mixed([old, right]), role: 'atom' as const }]
  bindPattern(run, left, run.loops > 0 && operator === '+=' ? widened(old, value) : value, frame, false)
  return value
}

/** A string that grows in a loop is what it was and something more. */
const widened = (old: Value, value: Value): Value =>
  old.some(
    (one) => one.k === 'any' || (one.k === 'text' && one.parts.some((part) => typeof part !== 'string')),
  )
    ? union(old, value)
    : value

export function evaluateUpdate(run: Run, node: Node, frame: Frame): Value {
  const target = node.argument as Node
  const binding = target.type === 'Identifier' ? target.binding : null
  if (binding) {
    const isCounter = binding.atModule && frame.owner !== binding.owner
    const value = anything('computed', { role: 'atom', hidden: isCounter ? 'counter' : null })
    setVariable(run, binding, value, frame, false)
    return value
  }
  if (target.type === 'MemberExpression') {
    const value = anything('computed', { role: 'atom' })
    setMember(run, run.evaluate(target.object, frame), keyName(run, target, frame), value, target)
    return value
  }
  run.evaluate(target, frame)
  return anything('computed')
}
