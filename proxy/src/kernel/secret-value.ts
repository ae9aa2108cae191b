import { inspect } from 'node:util'

/** A shorter value could not be told from innocent text in what code prints, so nothing would take it out. */
export const MIN_SECRET_BYTES = 6

/**
 * Leaks through logs, errors and serialisation (CWE-532): plaintext in here prints as `[secret]` wherever it is logged,
 * serialised or interpolated. `open` is called only where the vault seals it, where a run is handed over, where output and
 * answers are searched for it, and where the gateway puts it in.
 */
export class SecretValue {
  readonly #plaintext: string

  constructor(plaintext: string) {
    this.#plaintext = plaintext
  }

  open(): string {
    return this.#plaintext
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
