import type { Node } from './ast.ts'
import { apply, branch, type JumpTarget, join, type Outcome, type Run, spend } from './run.ts'
import { UNDEFINED, type Value } from './values.ts'

/** Joins of control flow: runs a body that jumps may leave or start anew; what they set on their way is seen behind it. */
export function withJumps(
  run: Run,
  kind: JumpTarget['kind'],
  labels: readonly string[],
  body: () => boolean,
): Outcome[] {
  const target: JumpTarget = { labels, kind, depth: run.logs.length, ways: [] }
  run.targets.push(target)
  try {
    return [branch(run, body, kind === 'try'), ...target.ways]
  } finally {
    run.targets.pop()
  }
}

/** The same for a statement with a label, which goes on behind it. */
export const runLabelled = (run: Run, label: string, body: () => boolean): boolean => {
  const [way, ...jumps] = withJumps(run, 'block', [label], body)
  if (way === undefined) return false
  return jumps.length === 0 ? apply(run, way) : join(run, [way, ...jumps])
}

/** What was set since `depth` branches were open. */
function setSince(run: Run, depth: number): Outcome {
  const seen = new Map<unknown, Set<unknown>>()
  const writes: { map: Map<unknown, Value>; key: unknown; value: Value }[] = []
  for (const log of run.logs.slice(depth)) {
    spend(run, log.length >> 4)
    for (const { map, key } of log) {
      const keys = seen.get(map) ?? new Set()
      seen.set(map, keys)
      if (keys.has(key)) continue
      keys.add(key)
      writes.push({ map, key, value: map.get(key) ?? UNDEFINED })
    }
  }
  return { ended: false, writes }
}

/**
 * Goes to where a `break` or `continue` leads, a `throw` to what may catch it.
 * @returns true: nothing behind it runs
 */
export function jump(run: Run, node: Node): boolean {
  const label = node.label?.name
  for (let index = run.targets.length - 1; index >= 0; index--) {
    const target = run.targets[index] as JumpTarget
    const isMeant =
      node.type === 'ThrowStatement'
        ? target.kind === 'try'
        : label !== undefined
          ? target.labels.includes(label)
          : target.kind === 'loop' || (target.kind === 'switch' && node.type === 'BreakStatement')
    if (!isMeant) continue
    // More ways than these set nothing that the others do not.
    if (target.ways.length < MOST_WAYS) target.ways.push(setSince(run, target.depth))
    return true
  }
  return true
}

const MOST_WAYS = 64
