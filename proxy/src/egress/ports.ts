import type { Socket } from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { EgressSession } from './session.ts'

/** Names of the files in an endpoint's directory, and where sandboxes find that directory. */
export const GATEWAY_SOCKET = 'gateway.sock'
export const GATEWAY_CA = 'ca.pem'
/** Names the resolver that a sandbox's runner opens on its loopback (resolv.conf(5)). */
export const GATEWAY_RESOLVER = 'resolv.conf'
export const GATEWAY_MOUNT = '/run/oauth3'

/** One sandbox's way out. It exists before the sandbox does, and refuses everything until a run is let in. */
export interface EgressEndpoint {
  /** On the daemon's file system: holds `gateway.sock`, `ca.pem` and `resolv.conf`. The sandbox sees it read-only at GATEWAY_MOUNT. */
  readonly directory: string
  /** From now on what comes through the socket is this run's. Once only. */
  bindSession(session: EgressSession): void
  /** Ends every connection and removes the directory. */
  close(): Promise<void>
}

/** The way out of a sandbox that outlives runs, in a directory that is there already and stays. */
export interface LastingEndpoint {
  /** Ends every connection; the sandbox may dial anew. */
  cut(): void
  /** Ends every connection, and takes its files out of the directory. */
  close(): Promise<void>
}

/** Makes endpoints. Implemented by egress/gateway; sandboxes take one for each of their processes. */
export interface EgressEndpoints {
  open(): Promise<EgressEndpoint>
}

export interface LastingEndpoints {
  /** `sessions` is asked at each request for whose it is; null: nobody's, and it is refused with `no_run`. */
  openLasting(directory: string, sessions: () => EgressSession | null): Promise<LastingEndpoint>
}

interface DialTarget {
  /** Host name, or an IP literal without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * What may be dialled beyond public addresses: the literals that a person approved for this port, or for `private` any
 * address of a private network. Link-local ones, where clouds keep their metadata, are never among the latter.
 */
export type ApprovedAddresses = ReadonlySet<string> | 'private'

/** Reaches upstreams; an implementation dials only addresses that were checked. Errors are told apart by `reason`. */
export interface EgressDial {
  dial(target: DialTarget, approved: ApprovedAddresses, signal: AbortSignal): Promise<Socket>
  /** `protocols` of ALPN; HTTP/1.1 when left out. What the host chose of them is `alpnProtocol`. */
  dialTls(
    target: DialTarget,
    approved: ApprovedAddresses,
    signal: AbortSignal,
    protocols?: readonly string[],
  ): Promise<TLSSocket>
}

/** Why no connection came about. The message names no address. */
export class EgressDialError extends Error {
  /** `too_many_requests`: as many names of whoever asks are being looked up as may be. */
  readonly reason:
    | 'address_not_public'
    | 'unreachable'
    | 'tls_not_verified'
    | 'tls_failed'
    | 'protocol_not_supported'
    | 'too_many_requests'

  constructor(reason: EgressDialError['reason'], cause?: unknown) {
    super(`upstream: ${reason}`, cause === undefined ? undefined : { cause })
    this.name = 'EgressDialError'
    this.reason = reason
  }
}

/** The daemon's own certificate authority; its key stays inside. */
export interface CertificateIssuer {
  /** PEM of the CA's certificate, for sandboxes. */
  readonly caPem: string
  /** A server context whose certificate names this host (DNS name or IP literal); cached. */
  contextFor(host: string): SecureContext
}
