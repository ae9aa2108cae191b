import type {
  CodeFacts,
  DangerFact,
  DangerKind,
  ImportFact,
  RequestFact,
  SecretFact,
} from '../facts/index.ts'

export type Goes = SecretFact['goes'][number]

interface SeenSecret {
  readonly lines: Set<number>
  readonly goes: Set<Goes>
}

/** What was found in one program, of either language: each finding once, with all of its lines. */
export class Findings {
  readonly requests = new Map<string, RequestFact>()
  readonly imports = new Map<string, ImportFact>()
  readonly #dangers = new Map<string, { kind: DangerKind; detail: string | undefined; lines: Set<number> }>()
  readonly #secrets = new Map<string, SeenSecret>()

  /** Returns how many different ones there are by now. */
  danger(kind: DangerKind, line: number, detail: string | undefined): number {
    const key = `${kind}\n${detail ?? ''}`
    const known = this.#dangers.get(key)
    if (known === undefined) this.#dangers.set(key, { kind, detail, lines: new Set([line]) })
    else known.lines.add(line)
    return this.#dangers.size
  }

  /** Where it is read and where it goes; begun empty. */
  secret(name: string): SeenSecret {
    const known = this.#secrets.get(name) ?? { lines: new Set(), goes: new Set() }
    this.#secrets.set(name, known)
    return known
  }

  goesOf(name: string): ReadonlySet<Goes> | undefined {
    return this.#secrets.get(name)?.goes
  }

  facts(language: CodeFacts['language'], readable: boolean): CodeFacts {
    return {
      language,
      readable,
      requests: [...this.requests.values()].sort(byLine),
      dangers: [...this.#dangers.values()].map(
        ({ kind, detail, lines }): DangerFact => ({
          ...{ kind, lines: inOrder(lines) },
          ...(detail === undefined ? {} : { detail }),
        }),
      ),
      secrets: [...this.#secrets].map(
        ([name, { lines, goes }]): SecretFact => ({
          ...{ name, lines: inOrder(lines), goes: goes.size > 0 ? [...goes] : ['unknown'] },
        }),
      ),
      imports: [...this.imports.values()].sort(byLine),
    }
  }
}

const byLine = (a: { readonly line: number }, b: { readonly line: number }): number => a.line - b.line
const inOrder = (lines: ReadonlySet<number>): number[] => [...lines].sort((a, b) => a - b)
