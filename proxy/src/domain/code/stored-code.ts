import { AppError, type CodeHash, sha256Hex } from '../../kernel/index.ts'
import type { CodeRepository } from './ports.ts'

/** The same for what has ended: null when its code is no longer kept. */
export function readEndedCode(codes: Pick<CodeRepository, 'get'>, hash: CodeHash): string | null {
  return codes.get(hash) === undefined ? null : readStoredCode(codes, hash)
}

/** The stored code that the hash names, byte for byte; throws when it is missing or has become another. */
export function readStoredCode(codes: Pick<CodeRepository, 'get'>, hash: CodeHash): string {
  const code = codes.get(hash)
  if (code === undefined) throw new AppError('internal', 'The stored code of this execution is missing.')
  if (sha256Hex(code) !== hash) {
    throw new AppError(
      'internal',
      'The stored code of this execution does not match its hash; it will not be used.',
    )
  }
  return code
}
