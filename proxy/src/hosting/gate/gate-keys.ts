/**
 * What a gate has: a key of its own for TLS, by whose fingerprint instances know it, and one for tokens. A token is no row: it is made
 * out of the incarnation that it is for, so that whoever repeats an act hands the same to the same instance.
 */
import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { connect } from 'node:tls'
import { equalInConstantTime, type TenantId } from '../../kernel/index.ts'
import type { MachineRef } from '../machines/index.ts'

export interface GateKeys {
  readonly tls: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  /** SHA-256, in hex, of the public key (SubjectPublicKeyInfo, DER). */
  readonly pin: string
  tokenOf(ref: MachineRef): string
  isTokenOf(ref: MachineRef, token: string): boolean
}

const pinOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')

export function createGateKeys(tls: GateKeys['tls'], tokenKey: Uint8Array): GateKeys {
  const tokenOf = (ref: MachineRef): string =>
    `oi1_${createHmac('sha256', tokenKey).update(pathOf(ref)).digest('base64url')}`
  return {
    tls,
    pin: pinOf(tls.publicKey),
    tokenOf,
    isTokenOf: (ref, token) => equalInConstantTime(tokenOf(ref), token),
  }
}

/** Of everything at the gate that is one incarnation's. */
export const pathOf = ({ tenant, machine, generation }: MachineRef): string =>
  `/machines/${tenant}/${machine}/${generation}`

const PATH =
  /^\/machines\/(default|ten_[0-9a-f]{16})\/(mch_[0-9a-f]{16})\/([1-9][0-9]{0,9})\/([a-z./]{1,40})$/

/** Undefined for what is no path of an incarnation. `rest`: what is behind it. */
export function parsePath(url: string): { readonly ref: MachineRef; readonly rest: string } | undefined {
  const [, tenant, machine, generation, rest] = PATH.exec(url) ?? []
  if (tenant === undefined || machine === undefined || rest === undefined) return undefined
  const ref = {
    tenant: tenant as TenantId,
    machine: machine as MachineRef['machine'],
    generation: Number(generation),
  }
  return { ref, rest }
}

/** Which key answers at an address, as a pin. Rejects where none does. */
export function pinAt(url: string, signal: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    // Nothing is said there: which key it has is all that is asked.
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      rejectUnauthorized: false,
    })
    const abort = (): void => void socket.destroy(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', abort))
    socket.once('error', reject).once('secureConnect', () => {
      const key = socket.getPeerX509Certificate()?.publicKey
      socket.destroy()
      if (key === undefined) reject(new Error('it shows no certificate'))
      else resolve(pinOf(key))
    })
  })
}
