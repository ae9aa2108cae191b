import { CliError, EXIT, usageError } from './cli-error.ts'

/** `--consent`: what is decided is what `show` displayed, or nothing. */
export function assertConsent(view: { readonly consent_hash: string }, expected: string): void {
  if (!/^[0-9a-f]{8,64}$/.test(expected)) throw usageError('--consent takes 8 to 64 hex digits.')
  if (!view.consent_hash.startsWith(expected)) {
    throw new CliError(
      'refused',
      EXIT.refused,
      `The consent is ${view.consent_hash}, not ${expected}; look at it with show.`,
    )
  }
}
