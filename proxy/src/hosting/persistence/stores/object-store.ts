import { randomToken } from '../../../kernel/index.ts'

/**
 * Where bytes are kept under names, out of the daemon's reach when it is gone: a folder, or a bucket. What is under a name never
 * changes: a name is written once, and never again after it was removed, so that an answer that was lost, a repeat that comes
 * late, and a list of before do no harm.
 */
export interface ObjectStore {
  readonly kind: 'folder' | 's3'
  /** Said in messages; nothing secret. */
  readonly where: string
  /**
   * Resolves when it is kept. With `ifAbsent`, `exists`: there was one of that name, which is left as it is. A store that knows no
   * conditions throws `NoConditions`, or overwrites: `honoursConditions` shows which.
   */
  put(name: string, bytes: Uint8Array, how: PutHow): Promise<'stored' | 'exists'>
  /** So many bytes from there on, fewer where it ends; undefined where there is none of that name. */
  get(name: string, part: Part, signal: AbortSignal): Promise<Buffer | undefined>
  /** Names that begin with it, which ends with a slash; in any order, and perhaps not the newest. */
  list(prefix: string, signal: AbortSignal): AsyncGenerator<string>
  /** One that is not there is removed already. */
  remove(name: string, signal: AbortSignal): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

interface PutHow {
  readonly ifAbsent?: boolean
  readonly signal: AbortSignal
}

interface Part {
  readonly offset: number
  readonly bytes: number
}

/** What failed may succeed when it is tried again; its outcome may be unknown. */
export class StoreFault extends Error {
  readonly isPassing: boolean
  constructor(message: string, isPassing: boolean, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreFault'
    this.isPassing = isPassing
  }
}

export class NoConditions extends StoreFault {
  constructor() {
    super('The store takes no conditional request.', false)
  }
}

const NAME = /^[A-Za-z0-9_-]{1,128}(?:\/[A-Za-z0-9_-]{1,128}){1,7}$/

/**
 * No dots: `..` in a name is resolved by file systems, and by URLs before they are signed. No name differs from another one by
 * what a store may take for the same.
 */
export function assertObjectName(name: string): void {
  if (!NAME.test(name)) throw new TypeError('not a name of an object')
}

/** Whether it leaves a name that is taken as it is. Writes and removes one object. */
export async function honoursConditions(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  const name = `probe/${randomToken(128)}`
  try {
    const first = await store.put(name, Buffer.from('first'), { ifAbsent: true, signal })
    const second = await store.put(name, Buffer.from('second'), { ifAbsent: true, signal })
    const kept = await store.get(name, { offset: 0, bytes: 16 }, signal)
    return first === 'stored' && second === 'exists' && kept?.toString() === 'first'
  } catch (error) {
    if (error instanceof NoConditions) return false
    throw error
  } finally {
    await store.remove(name, signal)
  }
}
