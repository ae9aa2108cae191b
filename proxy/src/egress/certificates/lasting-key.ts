/**
 * The authority's key for sandboxes that outlive the daemon: their programs read its certificate once, and have to find the same one
 * behind a daemon that was started anew. It stands beside their sockets, in the folder that only the daemon's user may enter:
 * whoever reads it there could as well take the sockets.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { type KeyPair, newKeys } from './issuer.ts'

/** What it is written to before it has its name; a crash may leave it. */
export const lastingKeyDraft = (path: string): string => `${path}.new`

/** The one in the file; made anew where there is none that can be read. */
export async function lastingKey(path: string): Promise<KeyPair> {
  const pem = await readFile(path, 'utf8').catch(() => '')
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1')
      return { privateKey, publicKey: createPublicKey(privateKey) }
  } catch {
    // As below.
  }
  const made = await newKeys()
  const draft = lastingKeyDraft(path)
  await writeFile(draft, made.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await rename(draft, path)
  return made
}
