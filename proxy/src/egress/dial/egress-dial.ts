import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { isPrivateAddress, isPublicAddress, parseHostPattern } from '../../kernel/index.ts'
import { type ApprovedAddresses, type EgressDial, EgressDialError } from '../index.ts'
import {
  createDialler,
  DialRefused,
  ProtocolRefused,
  TlsFailed,
  TlsRefused,
  type TlsSessions,
} from './dialler.ts'
import { type Resolve, TooManyLookups } from './resolve.ts'

/**
 * The gateway's way out. Dials public addresses, and beyond them only those that a person approved by themselves; TLS is
 * verified against the roots of the operating system. Every failure is an EgressDialError, whose text names no address.
 */
export interface EgressDialOptions {
  readonly resolve?: Resolve
  /** Which addresses anybody may dial. */
  readonly isPublic?: (address: string) => boolean
  /** Roots in place of the system's. */
  readonly tls?: { readonly ca: string | readonly string[] }
  /** Connects to this port in place of the target's, so that a server without rights can play a host at port 443. */
  readonly portOf?: (target: { readonly host: string; readonly port: number }) => number
  /** From the name to a connection that is ready, TLS included. */
  readonly connectTimeoutMs?: number
}

const MAX_SESSIONS = 256

export function createEgressDial(options: EgressDialOptions = {}): EgressDial {
  const isPublic = options.isPublic ?? isPublicAddress
  const sessions = createSessions()
  const ca = options.tls?.ca
  let own: SecureContext | undefined
  const secureContext = (): SecureContext => {
    if (ca === undefined) return systemContext()
    own ??= contextOf([ca].flat())
    return own
  }

  const isApproved = (approved: ApprovedAddresses, address: string): boolean =>
    approved === 'private' ? isPrivateAddress(address) : approved.has(canonicalAddress(address))
  const diallerFor = (approved: ApprovedAddresses) =>
    createDialler({
      ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      portOf: options.portOf,
      isAllowedAddress: (address) => isPublic(address) || isApproved(approved, address),
      tls: { secureContext: secureContext() },
      sessions,
      ...(options.connectTimeoutMs === undefined ? {} : { connectTimeoutMs: options.connectTimeoutMs }),
    })

  return {
    dial: (target, approved, signal) => attempt(() => diallerFor(approved).dial(target, signal)),
    dialTls: (target, approved, signal, protocols) =>
      attempt(() => diallerFor(approved).dialTls(target, signal, protocols)),
  }
}

async function attempt<S>(connect: () => Promise<S>): Promise<S> {
  try {
    return await connect()
  } catch (error) {
    throw new EgressDialError(reasonOf(error), error)
  }
}

function reasonOf(error: unknown): EgressDialError['reason'] {
  if (error instanceof DialRefused) return 'address_not_public'
  if (error instanceof TooManyLookups) return 'too_many_requests'
  if (error instanceof TlsRefused) return 'tls_not_verified'
  if (error instanceof ProtocolRefused) return 'protocol_not_supported'
  return error instanceof TlsFailed ? 'tls_failed' : 'unreachable'
}

/** The form that approved addresses have; a mapped IPv4 address is not the IPv4 address that was approved. */
function canonicalAddress(address: string): string {
  const pattern = parseHostPattern(address.includes(':') ? `[${address}]` : address)
  return 'problem' in pattern ? address : pattern.host
}

const contextOf = (ca: string[]): SecureContext => createSecureContext({ ca, minVersion: 'TLSv1.2' })

let ofSystem: SecureContext | undefined

/** The roots take 30 ms to read and 5 MB for good: once in a process, and not before something is dialled. */
function systemContext(): SecureContext {
  ofSystem ??= contextOf(systemRoots())
  return ofSystem
}

/**
 * The operating system's, and what NODE_EXTRA_CA_CERTS adds; Node's own where the system has none. Each once: OpenSSL's file and folder
 * of them, with the links in it, tell each four times.
 */
function systemRoots(): string[] {
  const system = getCACertificates('system')
  const base = system.length > 0 ? system : getCACertificates('bundled')
  return [...new Set([...base, ...getCACertificates('extra')])]
}

/** Each is used once, so that two connections cannot be told to belong together by it (RFC 8446, C.4). */
function createSessions(): TlsSessions {
  const kept = new Map<string, Buffer>()
  return {
    get(key) {
      const session = kept.get(key)
      kept.delete(key)
      return session
    },
    set(key, session) {
      kept.delete(key)
      kept.set(key, session)
      for (const oldest of kept.keys()) {
        if (kept.size <= MAX_SESSIONS) break
        kept.delete(oldest)
      }
    },
  }
}
