import type { Node } from './ast.ts'
import { conditionOf, decided } from './conditions.ts'
import { withJumps } from './jumps.ts'
import { branch, type Outcome, type Run, withCondition } from './run.ts'
import { type Frame, only } from './values.ts'

/** The rest of what runs now stands under this too. */
export function addCondition(run: Run, label: string): void {
  if (!run.conditions.includes(label)) run.conditions.push(label)
}

/** The same for a branch. */
export const under =
  (run: Run, label: string | null, body: () => boolean): (() => boolean) =>
  () =>
    withCondition(run, label, body)

export function outcomesOfIf(run: Run, node: Node, frame: Frame): Outcome[] {
  const test = node.test as Node
  const value = run.evaluate(test, frame)
  const { consequent, alternate } = node
  const known = decided(test, value)
  if (known !== null) {
    const taken = known ? consequent : alternate
    return [branch(run, () => taken !== null && run.statement(taken, frame))]
  }
  const label = conditionOf(value)
  const yes = branch(
    run,
    under(run, label, () => run.statement(consequent, frame)),
  )
  const no = branch(
    run,
    under(run, label, () => (alternate ? run.statement(alternate, frame) : false)),
  )
  // What stands behind an early end hangs on its condition too.
  const leaves = (ended: boolean, body: Node | null): boolean => ended || (body !== null && endsInJump(body))
  if (label !== null && leaves(yes.ended, consequent) !== leaves(no.ended, alternate) && !isGuard(label)) {
    addCondition(run, label)
  }
  return [yes, no]
}

/** A limit of calls that ends early is an honest guard; so is a missing variable. */
export const isGuard = (label: string): boolean => label.startsWith('?') || label === 'limit of calls'

export function outcomesOfSwitch(run: Run, node: Node, frame: Frame): Outcome[] {
  const value = run.evaluate(node.discriminant, frame)
  const { cases } = node
  const label = conditionOf(value)
  const known = decided(node.discriminant, value) === null ? null : only(value)
  if (known !== null) {
    const tests = cases.map((one) => (one.test ? only(run.evaluate(one.test, frame)) : null))
    const isPlain = cases.every((one, index) => one.test === null || tests[index] !== null)
    let at = tests.indexOf(known)
    if (at < 0 && isPlain) at = cases.findIndex((one) => one.test === null)
    if (at < 0 && isPlain) return [{ ended: false, writes: [] }]
    if (at >= 0) return withJumps(run, 'switch', [], () => runCases(run, cases, at, frame))
  }
  const outcomes: Outcome[] = []
  for (const [index, one] of cases.entries()) {
    if (one.test) run.evaluate(one.test, frame)
    if (one.consequent.length === 0) continue
    outcomes.push(
      ...withJumps(
        run,
        'switch',
        [],
        under(run, label, () => runCases(run, cases, index, frame)),
      ),
    )
  }
  if (cases.every((one) => one.test !== null)) outcomes.push({ ended: false, writes: [] })
  return outcomes
}

/** Whether a body ends with `continue` or `break`. */
function endsInJump(body: Node): boolean {
  const last = body.type === 'BlockStatement' ? body.body.at(-1) : body
  return last?.type === 'ContinueStatement' || last?.type === 'BreakStatement'
}

/** So many cases without a `break` are followed one into the other. */
const MOST_CASES = 8

/** Runs a case, and those behind it as long as nothing ends it. */
function runCases(run: Run, cases: readonly Node[], from: number, frame: Frame): boolean {
  let left = MOST_CASES
  for (let at = from; at < cases.length && left > 0; at++) {
    const body = (cases[at] as Node).consequent
    if (body.length === 0) continue
    left--
    if (run.block(body, frame)) return true
  }
  return false
}
