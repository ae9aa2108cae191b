import { isIP } from 'node:net'

/** Who asks for a passkey, as WebAuthn binds it: a host's passkeys are no other host's. */
export interface RelyingParty {
  /** RP ID: the host of the console's address. */
  readonly id: string
  /** The one origin that a ceremony may come from. */
  readonly origin: string
}

/**
 * Of the address under which the console is opened; null where WebAuthn has none for it: an RP ID is a domain name, never an
 * address, and a browser makes passkeys over https or for `localhost` alone.
 */
export function relyingPartyOf(consoleUrl: string): RelyingParty | null {
  if (!URL.canParse(consoleUrl)) return null
  const { hostname, origin, protocol } = new URL(consoleUrl)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal)) return null
  if (hostname.startsWith('[') || isIP(hostname) !== 0) return null
  return { id: hostname, origin }
}
