import { setMember } from './assignments.ts'
import { type Binding, lineOf, type Node, type Program } from './ast.ts'
import { callMethod, callValue, newOne } from './calls.ts'
import { evaluateIn } from './expressions.ts'
import { callUnknown, unknownInstance } from './functions.ts'
import { runImport } from './imports.ts'
import { getMember } from './members.ts'
import { NOT_TO_SHADOW } from './platform-names.ts'
import { OutOfSteps, type Run } from './run.ts'
import { declarationOf } from './scope.ts'
import type { Sink } from './sink.ts'
import { runBlock, runStatement } from './statements.ts'
import { builtin, type ClassValue, type Frame, thing, type Value } from './values.ts'

/** Against programs made to take long: steps of the interpretation, so many at least, and so many for each character. */
const FEWEST_STEPS = 500_000
const STEPS_PER_CHARACTER = 0.4

/** Abstract interpretation: runs the program over values that may be many things, and puts down what it would do. */
export function interpret(program: Program, sink: Sink, length: number): void {
  let steps = FEWEST_STEPS + Math.ceil(length * STEPS_PER_CHARACTER)
  let before: Map<Binding, Value> | null = null
  for (let round = 0; round < 2; round++) {
    sink.restart()
    const run = createRun(program, sink, steps, before)
    try {
      runProgram(run)
    } catch (error) {
      if (!(error instanceof OutOfSteps)) throw error
      const any = { host: null, method: null, path: null, websocket: false, graphql: null } as const
      const from = { hostFrom: 'computed', methodFrom: 'computed', pathFrom: 'computed' } as const
      sink.request({ line: 1, ...any, ...from }, [])
      sink.danger('host_computed', 1, 'more than can be followed')
      sink.danger('method_from_data', 1, 'more than can be followed')
      return
    }
    if (!run.again || run.steps < steps / 2) return
    steps = run.steps
    before = run.ever
  }
}

function createRun(program: Program, sink: Sink, steps: number, before: Map<Binding, Value> | null): Run {
  const run: Run = {
    program,
    sink,
    steps,
    conditions: [],
    before,
    ever: new Map(),
    again: false,
    closures: [],
    executed: new Set(),
    active: [],
    loops: 0,
    forks: 0,
    defaults: [thing()],
    names: new Map(),
    instances: new Map(),
    escaped: new Set(),
    loose: new Map(),
    unused: false,
    version: 0,
    log: null,
    logs: [],
    targets: [],
    labels: [],
    evaluate: (node, frame) => evaluateIn(run, node, frame),
    set: (target, key, value, node) => setMember(run, target, key, value, node),
    member: (value, key, node) => getMember(run, value, key, node),
    call: (target, self, args, node) => callValue(run, target, self, args, node),
    method: (self, key, args, node) => callMethod(run, self, key, args, node, node),
    construct: (target, args, node) => newOne(run, target, args, node, false),
    block: (statements, frame) => runBlock(run, statements, frame),
    statement: (node, frame) => runStatement(run, node, frame),
  }
  return run
}

function runProgram(run: Run): void {
  const { program } = run
  const frame: Frame = {
    owner: program.root,
    variables: new Map(),
    parent: null,
    self: builtin(program.module ? 'module.exports' : 'module.exports'),
    home: null,
    returns: null,
    yields: null,
  }
  for (const statement of program.body) {
    if (/^(?:Import|Export\w*)Declaration$|^TSImportEquals/.test(statement.type))
      runImport(run, statement, frame)
  }
  runBlock(run, program.body, frame)
  // Functions that nobody called: exports, handlers. Running them may make more of them.
  const instances = new Map<ClassValue, Value>()
  for (let index = 0; index < run.closures.length; index++) {
    const fn = run.closures[index]
    if (fn === undefined || run.executed.has(fn.node)) continue
    run.conditions.length = 0
    const name = run.names.get(fn.node)
    run.unused = name !== undefined && !program.mentioned.has(name)
    if (fn.home !== null && fn.self === null) {
      let instance = instances.get(fn.home)
      if (instance === undefined) {
        const made = run.instances.get(fn.home.node)
        instance = made === undefined ? unknownInstance(run, fn.home, fn.node) : made
        instances.set(fn.home, instance)
      }
      if (!run.executed.has(fn.node)) callUnknown(run, { ...fn, self: instance })
    } else callUnknown(run, fn)
  }
  run.unused = false
  tellShadows(run, frame)
}

/** A function or class of the program that stands in the place of the platform's. */
function tellShadows(run: Run, frame: Frame): void {
  const tell = (id: Node | null): void => {
    if (id === null || !NOT_TO_SHADOW.has(id.name) || !id.binding) return
    const value = frame.variables.get(id.binding)
    if (
      value?.some(
        (one) => one.k === 'function' || one.k === 'class' || one.k === 'bound' || one.k === 'thing',
      )
    ) {
      run.sink.danger('replaced_builtin', lineOf(id), id.name)
    }
  }
  for (const statement of run.program.body) {
    const node = declarationOf(statement)
    if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') tell(node.id)
    else if (node.type === 'VariableDeclaration')
      for (const one of node.declarations) if (one.id?.type === 'Identifier') tell(one.id)
  }
}
