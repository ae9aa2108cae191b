import { randomBytes } from 'node:crypto'

/**
 * Uploads that a vendor has opened under an address of its own: whoever has the address may send the rest, without a credential (Google's
 * resumable uploads; its SDKs for Python and Java send none there). The daemon gives such an address on as its own, with a secret in
 * its query that stands for the agent, for this one path, and for the key that opened it: no other key's project has the upload.
 */
export interface UploadSession {
  /** Of the agent that opened it; it is evaluated at each use. */
  readonly token: string
  readonly provider: string
  /** 0 where the provider takes none. */
  readonly keyId: number
  /** At the vendor, without query. */
  readonly path: string
}

export interface UploadSessions {
  /** The secret: 128 random bits. */
  open(session: UploadSession): string
  find(secret: string): UploadSession | undefined
}

export const UPLOAD_PARAMETER = 'oauth3_upload'

const KEPT_MS = 24 * 3_600_000
/** Of one token; the oldest goes first. */
const MAX_OF_TOKEN = 64
const MAX_TOKENS = 1_024

interface Kept extends UploadSession {
  readonly secret: string
  readonly until: number
}

export function createUploadSessions(now: () => number = Date.now): UploadSessions {
  const bySecret = new Map<string, Kept>()
  const byToken = new Map<string, Kept[]>()

  const forget = ({ secret }: Kept): void => void bySecret.delete(secret)

  return {
    open(session) {
      const kept: Kept = { ...session, secret: randomBytes(16).toString('base64url'), until: now() + KEPT_MS }
      const before = (byToken.get(session.token) ?? []).filter((one) => {
        if (one.until <= now()) forget(one)
        return one.until > now()
      })
      for (const one of before.splice(0, before.length - (MAX_OF_TOKEN - 1))) forget(one)
      byToken.delete(session.token)
      byToken.set(session.token, [...before, kept])
      bySecret.set(kept.secret, kept)
      const [oldest] = byToken.keys()
      if (byToken.size > MAX_TOKENS && oldest !== undefined) {
        for (const one of byToken.get(oldest) ?? []) forget(one)
        byToken.delete(oldest)
      }
      return kept.secret
    },
    find(secret) {
      const kept = bySecret.get(secret)
      return kept === undefined || kept.until <= now() ? undefined : kept
    },
  }
}
