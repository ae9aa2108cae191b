import { type CodeHash, type ReadTx, type Storage, sha256Hex, type Tx } from '../../kernel/index.ts'
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
interface FactsReader {
  /** Undefined when there are none, or those of another version of the reader. */
  get(hash: CodeHash, language: Language, version: number): Promise<CodeFacts | undefined>
}

export interface FactsStore extends FactsReader {
  put(hash: CodeHash, language: Language, version: number, facts: CodeFacts): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly facts: StorePort<FactsReader, FactsStore>
  }
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
  /** Keeps them beside the code; in the unit that stores it. */
  keep(tx: Tx, code: string, language: Language, facts: CodeFacts): Promise<void>
  /** What is known without reading the program again; not readable when that is nothing. */
  known(tx: ReadTx, hash: CodeHash, language: Language): Promise<CodeFacts>
  /** What they take where they are stored. */
  bytesOf(facts: CodeFacts): number
  /** The code and its stored facts were deleted, and that is committed. */
  forget(hash: CodeHash): void
}

export function createCodeFacts(deps: {
  readonly reader: ProgramReader
  readonly storage: Pick<Storage, 'read'>
}): CodeFactsService {
  const { reader } = deps
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

  const recall = (hash: CodeHash, language: Language): CodeFacts | undefined => {
    const key = `${language} ${hash}`
    const known = kept.get(key)
    return known && remember(key, known)
  }
  const lookUp = async (tx: ReadTx, hash: CodeHash, language: Language): Promise<CodeFacts | undefined> => {
    const known = recall(hash, language)
    if (known !== undefined) return known
    // As of before: what is forgotten while it is read may be this one.
    const forgottenBefore = forgotten
    const facts = await tx.facts.get(hash, language, FACTS_VERSION)
    if (facts !== undefined) stored.set(facts, forgottenBefore)
    return facts && remember(`${language} ${hash}`, facts)
  }

  return {
    async of(code, language, owner) {
      const hash = sha256Hex(code) as CodeHash
      const known = recall(hash, language)
      if (known !== undefined) return known
      // Another may have read it meanwhile.
      const found = (await deps.storage.read((tx) => lookUp(tx, hash, language))) ?? recall(hash, language)
      if (found !== undefined) return found
      const key = `${language} ${hash}`
      const begun = reading.get(key) ?? reader.read(code, language, owner).finally(() => reading.delete(key))
      reading.set(key, begun)
      const facts = await begun
      return facts.unread ? facts : remember(key, facts)
    },
    async keep(tx, code, language, facts) {
      if (facts.unread || stored.get(facts) === forgotten) return
      const hash = sha256Hex(code) as CodeHash
      // A unit that is undone takes them with it: they count as stored when they are found there.
      if ((await tx.facts.get(hash, language, FACTS_VERSION)) === undefined) {
        await tx.facts.put(hash, language, FACTS_VERSION, facts)
      } else stored.set(facts, forgotten)
    },
    known: async (tx, hash, language) =>
      (await lookUp(tx, hash, language)) ?? unreadableFacts(language, 'it was not read'),
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
