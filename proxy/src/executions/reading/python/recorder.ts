import type { CodeFacts, DangerKind, RequestFact } from '../../facts/index.ts'
import { Findings, type Goes } from '../findings.ts'
import { Unreadable } from './limits.ts'
import type { Taint } from './values.ts'

/** Against floods of findings: more facts of one kind are no program that a person could approve. */
const MAX_FACTS = 5000

/** Gathers what is found in one program; offsets become lines. */
export interface Recorder {
  readonly lineOf: (at: number) => number
  readonly danger: (kind: DangerKind, at: number, detail?: string) => void
  readonly request: (fact: RequestFact) => void
  readonly secretRead: (name: string, at: number) => void
  readonly secretGoes: (of: Taint, goes: Goes) => void
  readonly imported: (at: number, specifier: string | null, dynamic: boolean) => void
  /** Whether what is found from now on belongs to code that nothing calls: then it sends nothing. */
  readonly unused: (is: boolean) => void
  readonly facts: (readable: boolean) => CodeFacts
}

/** What only counts where a request is made. */
const OF_REQUESTS = /^(?:host|path|method)_|^(?:hidden_condition|follows_redirect|graphql_mutation)$/

/**
 * A recorder for the program `code`, whose line ends are `\n` alone. It throws `Unreadable` when a program holds too many
 * facts.
 */
export function createRecorder(code: string): Recorder {
  const starts: number[] = [0]
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1)
  const found = new Findings()
  const { requests, imports } = found
  let isUnused = false

  const lineOf = (at: number): number => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] as number) <= at) low = middle
      else high = middle - 1
    }
    return low + 1
  }
  return {
    lineOf,
    danger: (kind, at, detail) => {
      if (isUnused && OF_REQUESTS.test(kind)) return
      const plain = detail?.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, 80)
      const different = found.danger(kind, lineOf(at), plain)
      if (different > MAX_FACTS && kind !== 'unreadable_code')
        throw new Unreadable(at, 'is too much to follow')
    },
    request: (fact) => {
      // Of what nothing calls by name only a request that is known in every part is worth telling.
      if (isUnused && (fact.host === null || fact.method === null || fact.path === null)) return
      requests.set(JSON.stringify(fact), fact)
      if (requests.size > MAX_FACTS) throw new Unreadable(0, 'makes too many different requests')
    },
    secretRead: (name, at) => found.secret(name).lines.add(lineOf(at)),
    secretGoes: (of, goes) => {
      for (const name of of.secrets) {
        const encoded = name.startsWith('~')
        const { goes: all } = found.secret(encoded ? name.slice(1) : name)
        all.add(goes)
        if (encoded && goes !== 'header') all.add('computed')
      }
    },
    imported: (at, specifier, dynamic) => {
      const line = lineOf(at)
      if (imports.size < MAX_FACTS)
        imports.set(`${line} ${specifier} ${dynamic}`, { line, specifier, dynamic })
    },
    unused: (is) => {
      isUnused = is
    },
    facts: (readable) => {
      const facts = found.facts('python', readable)
      return {
        ...facts,
        secrets: facts.secrets.map((secret) => ({ ...secret, goes: [...secret.goes].sort() })),
      }
    },
  }
}
