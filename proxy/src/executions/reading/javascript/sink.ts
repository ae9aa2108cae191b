import type { CodeFacts, DangerKind, ImportFact, RequestFact } from '../../facts/index.ts'
import { Findings, type Goes } from '../findings.ts'

const MOST_REQUESTS = 500
const MOST_DETAIL = 80

/** A request that was seen under a condition that the card does not show. */
interface Conditioned {
  readonly key: string
  readonly line: number
  readonly labels: readonly string[]
}

/** The findings of one reading, each once, however often the interpretation comes by. */
export interface Sink {
  danger(kind: DangerKind, line: number, detail?: string): void
  request(fact: RequestFact, conditions: readonly string[]): void
  secretRead(name: string, line: number): void
  secretGoes(names: readonly string[], where: Goes): void
  import(fact: ImportFact): void
  /** Forgets what an earlier round of the interpretation found of requests and conditions. */
  restart(): void
  facts(readable: boolean): CodeFacts
}

export function createSink(): Sink {
  const found = new Findings()
  const { requests } = found
  const conditioned: Conditioned[] = []
  const unconditioned = new Set<string>()

  const danger = (kind: DangerKind, line: number, detail?: string): void => {
    found.danger(kind, line, detail === undefined ? undefined : oneLine(detail))
  }
  /** A variable that is merely there or not is the presence of a secret when the request carries it. */
  const isHidden = (label: string): boolean => {
    if (!label.startsWith('?')) return true
    const goes = found.goesOf(label.slice(1))
    return !(
      goes !== undefined && ['header', 'query', 'body', 'path'].some((where) => goes.has(where as Goes))
    )
  }

  return {
    danger,
    request(fact, conditions) {
      const place = `${fact.host} ${fact.method} ${fact.path} ${fact.websocket}`
      const key = `${fact.line} ${place} ${fact.graphql} ${fact.hostFrom} ${fact.methodFrom} ${fact.pathFrom}`
      if (requests.size < MOST_REQUESTS) requests.set(key, fact)
      else if (!requests.has(key)) {
        const any = { host: null, method: null, path: null, websocket: false, graphql: null } as const
        const from = { hostFrom: 'computed', methodFrom: 'computed', pathFrom: 'computed' } as const
        requests.set('more', { line: fact.line, ...any, ...from })
        danger('host_computed', fact.line, 'more requests than can be told')
      }
      if (conditions.length === 0) unconditioned.add(place)
      else if (conditioned.length < 10_000)
        conditioned.push({ key: place, line: fact.line, labels: conditions })
    },
    secretRead(name, line) {
      found.secret(name).lines.add(line)
    },
    secretGoes(names, where) {
      for (const name of names) found.secret(name).goes.add(where)
    },
    import(fact) {
      found.imports.set(`${fact.line} ${fact.specifier} ${fact.dynamic}`, fact)
    },
    restart() {
      requests.clear()
      conditioned.length = 0
      unconditioned.clear()
    },
    facts(readable) {
      for (const one of conditioned) {
        if (unconditioned.has(one.key)) continue
        for (const label of one.labels) {
          if (isHidden(label)) danger('hidden_condition', one.line, label.replace(/^\?/, 'variable '))
        }
      }
      const facts = found.facts('javascript', readable)
      return { ...facts, secrets: facts.secrets.filter(({ lines }) => lines.length > 0) }
    },
  }
}

const oneLine = (detail: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the card shows one line of text
  const plain = detail.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return plain.length > MOST_DETAIL ? `${plain.slice(0, MOST_DETAIL - 1)}…` : plain
}
