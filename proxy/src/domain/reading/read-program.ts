import type { CodeFacts, DangerFact, Language } from '../facts/index.ts'
import { readText } from '../facts/index.ts'
import { readJavaScript } from '../facts/javascript/index.ts'
import { readPython } from '../facts/python/index.ts'

/** Everything that is told of a program: what its syntax says, and what its text looks like. Never throws. */
export function readProgram(code: string, language: Language): CodeFacts {
  const facts = language === 'python' ? readPython(code) : readJavaScript(code)
  return { ...facts, dangers: merged([...facts.dangers, ...readText(code, language)]) }
}

/** One entry for each kind and detail, with all its lines. */
function merged(dangers: readonly DangerFact[]): DangerFact[] {
  const byKey = new Map<string, DangerFact>()
  for (const danger of dangers) {
    const key = JSON.stringify([danger.kind, danger.detail])
    const known = byKey.get(key)
    const lines = [...new Set([...(known?.lines ?? []), ...danger.lines])].sort((a, b) => a - b)
    byKey.set(key, { ...danger, lines })
  }
  return [...byKey.values()]
}
