import { wordSet } from '../../../kernel/index.ts'
import { bare, lineOf, literalOf, type Node } from './ast.ts'
import { addCondition, isGuard, outcomesOfIf, outcomesOfSwitch } from './branches.ts'
import { conditionOf } from './conditions.ts'
import { makeClass, makeFunction, nameFunction } from './functions.ts'
import { jump, runLabelled, withJumps } from './jumps.ts'
import { loop, loopCondition, runForEach } from './loops.ts'
import { bindPattern } from './patterns.ts'
import { apply, branch, join, type Outcome, type Run, setVariable, spend, withCondition } from './run.ts'
import { declarationOf, enumMembers } from './scope.ts'
import { anything, type Frame, primitive, thing, UNDEFINED, union, type Value } from './values.ts'

/**
 * Runs statements one after the other.
 * @returns whether they end what they stand in: return, throw, break, continue
 */
export function runBlock(run: Run, statements: readonly Node[], frame: Frame): boolean {
  for (const statement of statements) {
    const node = declarationOf(statement)
    if (node.type === 'FunctionDeclaration' && node.id?.binding) {
      if (statement === node) nameFunction(run, node, node.id.name)
      setVariable(run, node.id.binding, [makeFunction(run, node, frame, null, null)], frame, true)
    }
  }
  return runFrom(run, statements, 0, frame)
}

function runFrom(run: Run, statements: readonly Node[], from: number, frame: Frame): boolean {
  const depth = run.conditions.length
  try {
    for (let index = from; index < statements.length; index++) {
      const node = statements[index] as Node
      const ways = index + 1 < statements.length ? waysOf(run, node, frame) : null
      if (ways === null) {
        if (runStatement(run, node, frame)) return true
        continue
      }
      if (ways.length < 2) {
        if (ways[0] !== undefined) return true
        continue
      }
      // Each way goes on by itself, so that what belongs together stays together.
      const ends = ways.map((way) =>
        way.ended ? way : branch(run, () => apply(run, way) || runFrom(run, statements, index + 1, frame)),
      )
      return join(run, ends)
    }
    return false
  } finally {
    run.conditions.length = depth
  }
}

const MOST_FORKS = 64

/**
 * The ways on from a statement that decides several things at once: a row of a table, or branches that each set several
 * variables. Null for an ordinary statement, which has not run then; none when it ran and simply goes on.
 */
function waysOf(run: Run, node: Node, frame: Frame): Outcome[] | null {
  if (node.type === 'VariableDeclaration' && node.declarations.length === 1) {
    const [one] = node.declarations
    if (one?.init === null || one === undefined || !MAY_BE_ROWS.has(bare(one.init).type)) return null
    spend(run, 1)
    const value = run.evaluate(one.init, frame)
    const rows = value.filter((row) => (row.k === 'thing' && row.role === null) || row.k === 'items')
    const isForked = rows.length > 1 && run.forks + value.length <= MOST_FORKS
    if (!isForked) {
      bound(run, one.id as Node, value, frame)
      return []
    }
    run.forks += value.length
    return value.map((row) => branch(run, () => bound(run, one.id as Node, [row], frame)))
  }
  if (node.type !== 'IfStatement' && node.type !== 'SwitchStatement') return null
  const outcomes =
    node.type === 'IfStatement' ? outcomesOfIf(run, node, frame) : outcomesOfSwitch(run, node, frame)
  const going = outcomes.filter((one) => !one.ended)
  if (going.length > 1 && run.forks + going.length <= MOST_FORKS && areTogether(going)) {
    run.forks += going.length
    return outcomes
  }
  return join(run, outcomes) ? [ENDED] : []
}

const ENDED: Outcome = { ended: true, writes: [] }

const bound = (run: Run, id: Node, value: Value, frame: Frame): boolean => {
  bindPattern(run, id, value, frame, true)
  return false
}

const MAY_BE_ROWS: ReadonlySet<string> = wordSet(`
  MemberExpression ConditionalExpression LogicalExpression AwaitExpression CallExpression`)

/** Whether two or more strings are set by each of several branches, so that only some pairs of them occur. */
function areTogether(outcomes: readonly Outcome[]): boolean {
  const counts = new Map<unknown, number>()
  for (const { writes } of outcomes) {
    for (const { key, value } of writes) {
      if (value.length === 1 && value[0]?.k === 'text') counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return [...counts.values()].filter((count) => count > 1).length > 1
}

const LOOPS: ReadonlySet<string> = wordSet(`
  ForStatement WhileStatement DoWhileStatement ForOfStatement ForInStatement`)

export function runStatement(run: Run, node: Node, frame: Frame): boolean {
  spend(run, 1)
  const { labels } = run
  if (labels.length > 0) run.labels = []
  switch (node.type) {
    case 'ExpressionStatement':
      return runExpression(run, node.expression, frame)
    case 'VariableDeclaration':
      for (const one of node.declarations) {
        if (one.id?.type === 'Identifier') nameFunction(run, one.init, one.id.name)
        const value = one.init ? run.evaluate(one.init, frame) : UNDEFINED
        bindPattern(run, one.id as Node, value, frame, one.init !== null || node.kind !== 'var')
      }
      return false
    case 'ReturnStatement': {
      const value = node.argument ? run.evaluate(node.argument, frame) : UNDEFINED
      frame.returns = frame.returns === null ? value : union(frame.returns, value)
      return true
    }
    case 'ThrowStatement':
      run.evaluate(node.argument as Node, frame)
      return jump(run, node)
    case 'BreakStatement':
    case 'ContinueStatement':
      return jump(run, node)
    case 'BlockStatement':
    case 'StaticBlock':
    case 'TSModuleBlock':
      return runBlock(run, node.body, frame)
    case 'IfStatement':
      return join(run, outcomesOfIf(run, node, frame))
    case 'SwitchStatement':
      return join(run, outcomesOfSwitch(run, node, frame))
    case 'ForStatement':
      if (node.init) {
        if (node.init.type === 'VariableDeclaration') runStatement(run, node.init, frame)
        else run.evaluate(node.init, frame)
      }
      return loop(run, labels, () => {
        withCondition(run, loopCondition(run, node.test, frame), () => runStatement(run, node.body, frame))
        if (node.update) run.evaluate(node.update, frame)
      })
    case 'WhileStatement':
    case 'DoWhileStatement':
      return loop(run, labels, () => {
        const label = node.type === 'WhileStatement' ? loopCondition(run, node.test, frame) : null
        withCondition(run, label, () => runStatement(run, node.body, frame))
        if (node.type === 'DoWhileStatement') run.evaluate(node.test as Node, frame)
      })
    case 'ForOfStatement':
    case 'ForInStatement':
      return runForEach(run, node, frame, labels)
    case 'TryStatement':
      return runTry(run, node, frame)
    case 'LabeledStatement':
      if (LOOPS.has(node.body.type) || node.body.type === 'LabeledStatement') {
        run.labels = [...labels, node.label?.name ?? '']
        return runStatement(run, node.body, frame)
      }
      return runLabelled(run, node.label?.name ?? '', () => runStatement(run, node.body, frame))
    case 'ClassDeclaration':
      if (node.id?.binding) setVariable(run, node.id.binding, [makeClass(run, node, frame)], frame, true)
      return false
    case 'TSEnumDeclaration':
      runEnum(run, node, frame)
      return false
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
      if (node.declaration === null || node.exportKind === 'type') return false
      if (/Declaration$/.test(node.declaration.type)) {
        if (node.declaration.type === 'FunctionDeclaration' && node.declaration.id === null) {
          makeFunction(run, node.declaration, frame, null, null)
        }
        return runStatement(run, node.declaration, frame)
      }
      run.evaluate(node.declaration, frame)
      return false
    case 'TSModuleDeclaration':
      if (node.declare !== true && node.body) {
        if (node.id?.binding) setVariable(run, node.id.binding, anything('computed'), frame, true)
        runStatement(run, node.body, frame)
      }
      return false
    case 'TSExportAssignment':
      run.evaluate(node.expression, frame)
      return false
    case 'WithStatement':
      // Every name inside may stand for something of the object.
      run.sink.danger('unreadable_code', lineOf(node), 'with: a name in it may stand for anything')
      run.evaluate(node.object, frame)
      runStatement(run, node.body, frame)
      return false
    default:
      return false
  }
}

function runExpression(run: Run, node: Node, frame: Frame): boolean {
  run.evaluate(node, frame)
  if (node.type === 'LogicalExpression' && isExit(node.right)) {
    const label = conditionOf(run.evaluate(node.left, frame))
    if (label !== null && !isGuard(label)) addCondition(run, label)
  }
  return isExit(node)
}

/** `process.exit()`, `Deno.exit()`: nothing behind it runs. */
function isExit(node: Node): boolean {
  const call = bare(node)
  if (call.type !== 'CallExpression' || call.callee.type !== 'MemberExpression') return false
  const { object, property } = call.callee
  return (
    property.name === 'exit' &&
    object.type === 'Identifier' &&
    (object.name === 'process' || object.name === 'Deno') &&
    object.binding === null
  )
}

function runTry(run: Run, node: Node, frame: Frame): boolean {
  const reached = run.targets.map(({ ways }) => ways.length)
  const [tried = NOTHING, ...thrown] = withJumps(run, 'try', [], () => runStatement(run, node.block, frame))
  const partly: Outcome[] = [{ ...tried, ended: false }, NOTHING, ...thrown]
  if (tried.passed !== undefined && tried.passed.length > 0)
    partly.push({ ended: false, writes: tried.passed })
  const outcomes: Outcome[] = [tried]
  const { handler, finalizer } = node
  if (handler) {
    // Something of the block may have happened before it failed.
    join(run, partly)
    outcomes.push(
      branch(run, () => {
        if (handler.param) bindPattern(run, handler.param, anything('computed'), frame, true)
        return runStatement(run, handler.body, frame)
      }),
    )
  }
  const ended = join(run, outcomes)
  if (!finalizer) return ended
  // It runs after all of these, and before whatever a jump out of the block leads to.
  if (!handler || outcomes.some((one) => one.ended))
    join(run, [...outcomes.map((one) => ({ ...one, ended: false })), ...(handler ? [] : partly)])
  const last = branch(run, () => runStatement(run, finalizer, frame))
  run.targets.forEach(({ ways }, index) => {
    for (let at = reached[index] ?? 0; at < ways.length; at++)
      ways[at] = { ended: false, writes: [...(ways[at]?.writes ?? []), ...last.writes] }
  })
  return apply(run, last) || ended
}

const NOTHING: Outcome = { ended: false, writes: [] }

function runEnum(run: Run, node: Node, frame: Frame): void {
  const props = new Map<string, Value>()
  let next: number | null = 0
  for (const member of enumMembers(node)) {
    const id = member.id as Node
    const name = id.type === 'Identifier' ? id.name : String(literalOf(id))
    let value: Value
    if (member.initializer) {
      value = run.evaluate(member.initializer, frame)
      const first = value[0]
      next = first?.k === 'primitive' && typeof first.value === 'number' ? first.value + 1 : null
    } else {
      value = next === null ? anything('computed') : primitive(next++)
    }
    props.set(name, value)
  }
  if (node.id?.binding) setVariable(run, node.id.binding, [thing(props)], frame, true)
}
