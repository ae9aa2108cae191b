import { describe, expect, it } from 'vitest'
import { ROOT } from './graph.ts'
import { compileRenderings } from './renderings.ts'

describe('every rendering', () => {
  const { graph } = compileRenderings(new Map([['KEY', 'demo+V/"é']]))

  it('has the same edges forwards and backwards, and ends', () => {
    for (const { layer } of graph.renderings) {
      const out = new Map<number, Set<string>>()
      let level = [ROOT as number]
      while (level.length > 0 && out.size < 4_000) {
        const next = new Set<number>()
        for (const node of level) {
          const edges = new Set<string>()
          out.set(node, edges)
          layer.out(node, (byte, target) => {
            edges.add(`${byte} ${target}`)
            next.add(target)
          })
        }
        level = [...next].filter((node) => !out.has(node))
      }
      const missing: string[] = []
      for (const [source, edges] of out) {
        for (const edge of edges) {
          const [byte, target] = edge.split(' ').map(Number)
          let isThere = false
          layer.into(target as number, (label, from) => {
            isThere ||= label === byte && from === source
          })
          if (!isThere) missing.push(`${source} ${edge}`)
        }
      }
      for (const target of out.keys()) {
        if (target === ROOT) continue
        layer.into(target, (byte, source) => {
          if (out.get(source)?.has(`${byte} ${target}`) === false)
            missing.push(`back ${source} ${byte} ${target}`)
        })
      }
      expect(missing).toEqual([])
    }
  })
})
