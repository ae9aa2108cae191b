import { AppError, type CodeHash, type ReadTx, sha256Hex } from '../../kernel/index.ts'

/** The same for what has ended: null when its code is no longer kept. */
export async function readEndedCode(tx: ReadTx, hash: CodeHash): Promise<string | null> {
  return (await tx.codes.get(hash)) === undefined ? null : await readStoredCode(tx, hash)
}

/** The stored code that the hash names, byte for byte; throws when it is missing or has become another. */
export async function readStoredCode(tx: ReadTx, hash: CodeHash): Promise<string> {
  const code = await tx.codes.get(hash)
  if (code === undefined) throw new AppError('internal', 'The stored code of this execution is missing.')
  if (sha256Hex(code) !== hash) {
    throw new AppError(
      'internal',
      'The stored code of this execution does not match its hash; it will not be used.',
    )
  }
  return code
}
