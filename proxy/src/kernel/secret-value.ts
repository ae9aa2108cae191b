import { inspect } from 'node:util'

/**
 * Plaintext that prints as `[secret]` wherever it is logged, serialised or interpolated. `open` is called in
 * two places only: where the vault seals it and where a run is handed over.
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
