import { type CodeHash, sha256Hex } from '../../kernel/index.ts'
import type { CodeFacts, Language } from './facts.ts'

/**
 * Hostile programs may loop or take all memory: they are read off the event loop, within limits of both. Never rejects for what
 * a program holds.
 */
export interface ProgramReader extends AsyncDisposable {
  /**
   * What is beyond the limits comes back as not readable. Those who ask are served in turn, whatever each has waiting; throws
   * `rate_limited` when too many of one of them wait.
   */
  read(code: string, language: Language, owner: string): Promise<CodeFacts>
}

/** Facts by the code they are of; kept with the code, so that each program is read once. */
export interface FactsRepository {
  /** Undefined when there are none, or those of another version of the reader. */
  get(hash: CodeHash, language: Language, version: number): CodeFacts | undefined
  put(hash: CodeHash, language: Language, version: number, facts: CodeFacts): void
}

/** Raised whenever the reader learns: stored facts of an earlier one are read anew. */
export const FACTS_VERSION = 1

/** Programs whose facts are kept in memory, and their bytes: of one program there can be millions. */
const MAX_KEPT = 256
const MAX_KEPT_BYTES = 16 * 1_048_576

const LANGUAGES: readonly Language[] = ['javascript', 'python']

export interface CodeFactsService {
  /** The facts of a program, for whoever asks; stores nothing. */
  of(code: string, language: Language, owner: string): Promise<CodeFacts>
  /** Keeps them beside the code; inside the transaction that stores it. */
  keep(code: string, language: Language, facts: CodeFacts): void
  /** What is known without reading the program again; not readable when that is nothing. */
  known(hash: CodeHash, language: Language): CodeFacts
  /** What they take where they are stored. */
  bytesOf(facts: CodeFacts): number
  /** The code and its stored facts were deleted. */
  forget(hash: CodeHash): void
}

export function createCodeFacts(deps: {
  readonly reader: ProgramReader
  readonly repository: FactsRepository
}): CodeFactsService {
  const { reader, repository } = deps
  const kept = new Map<string, CodeFacts>()
  /**
   * Facts that were found in the repository, so that a program that runs all day is not looked up there each time, and how
   * many programs had been forgotten by then: any of these may be it.
   */
  const stored = new WeakMap<CodeFacts, number>()
  let forgotten = 0
  /** Programs that are being read: whoever asks for the same one waits for the same reading. */
  const reading = new Map<string, Promise<CodeFacts>>()

  const sizes = new WeakMap<CodeFacts, number>()
  const bytesOf = (facts: CodeFacts): number => {
    const size = sizes.get(facts) ?? Buffer.byteLength(JSON.stringify(facts))
    sizes.set(facts, size)
    return size
  }
  let keptBytes = 0
  const drop = (key: string): void => {
    const facts = kept.get(key)
    if (facts !== undefined && kept.delete(key)) keptBytes -= bytesOf(facts)
  }
  const remember = (key: string, facts: CodeFacts): CodeFacts => {
    drop(key)
    kept.set(key, facts)
    keptBytes += bytesOf(facts)
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT && (keptBytes <= MAX_KEPT_BYTES || kept.size === 1)) break
      drop(oldest)
    }
    return facts
  }

  const lookUp = (hash: CodeHash, language: Language): CodeFacts | undefined => {
    const key = `${language} ${hash}`
    const known = kept.get(key)
    if (known !== undefined) return remember(key, known)
    const facts = repository.get(hash, language, FACTS_VERSION)
    if (facts !== undefined) stored.set(facts, forgotten)
    return facts && remember(key, facts)
  }

  return {
    async of(code, language, owner) {
      const hash = sha256Hex(code) as CodeHash
      const found = lookUp(hash, language)
      if (found !== undefined) return found
      const key = `${language} ${hash}`
      const begun = reading.get(key) ?? reader.read(code, language, owner).finally(() => reading.delete(key))
      reading.set(key, begun)
      const facts = await begun
      return facts.unread ? facts : remember(key, facts)
    },
    keep(code, language, facts) {
      if (facts.unread || stored.get(facts) === forgotten) return
      const hash = sha256Hex(code) as CodeHash
      // A transaction that is rolled back takes them with it: they count as stored when they are found there.
      if (repository.get(hash, language, FACTS_VERSION) === undefined) {
        repository.put(hash, language, FACTS_VERSION, facts)
      } else stored.set(facts, forgotten)
    },
    known: (hash, language) => lookUp(hash, language) ?? unreadableFacts(language, 'it was not read'),
    bytesOf: (facts) => (facts.unread ? 0 : bytesOf(facts)),
    forget(hash) {
      forgotten += 1
      for (const language of LANGUAGES) drop(`${language} ${hash}`)
    },
  }
}

/** What is told of a program that could not be read. `why` completes "cannot be read as a program: …". */
export const unreadableFacts = (language: Language, why: string): CodeFacts => ({
  language,
  readable: false,
  unread: true,
  requests: [],
  dangers: [{ kind: 'unreadable_code', lines: [], detail: why }],
  secrets: [],
  imports: [],
})

/** What the code of a runtime is written in. */
export const languageOf = (runtime: string): Language => (runtime === 'python' ? 'python' : 'javascript')

/** Runtimes that let no code be made from text unless the consent says so; see docs/runtimes.md. */
const WALLED_RUNTIMES: ReadonlySet<string> = new Set(['deno', 'node', 'quickjs'])

export const isWalled = (runtime: string): boolean => WALLED_RUNTIMES.has(runtime)
