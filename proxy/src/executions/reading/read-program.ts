import { methodProblem, parsePathPattern } from '../../egress/capabilities/index.ts'
import { parseHostPattern } from '../../kernel/index.ts'
import type { CodeFacts, DangerFact, Language, RequestFact } from '../facts/index.ts'
import { readText } from '../facts/index.ts'
import { readJavaScript } from './javascript/index.ts'
import { readPython } from './python/index.ts'

/** Static analysis of one program: what its syntax says, and what its text looks like. Never throws. */
export function readProgram(code: string, language: Language): CodeFacts {
  const facts = language === 'python' ? readPython(code) : readJavaScript(code)
  return {
    ...facts,
    requests: facts.requests.map(wellFormed),
    dangers: merged([...facts.dangers, ...readText(code, language)]),
  }
}

/** A part that no request line could carry, or that servers would read differently, is as good as computed. */
function wellFormed(request: RequestFact): RequestFact {
  const { host, method, path } = request
  const pattern = path === null ? null : parsePathPattern(path)
  const isHost = host === null || !('problem' in parseHostPattern(host))
  const isMethod = method === null || methodProblem(method) === null
  const isPath = pattern === null || !('problem' in pattern)
  return {
    ...request,
    ...(isHost ? {} : { host: null, hostFrom: 'computed' }),
    ...(isMethod ? {} : { method: null, methodFrom: 'computed' }),
    ...(isPath ? { path: pattern?.text ?? null } : { path: null, pathFrom: 'computed' }),
  }
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
