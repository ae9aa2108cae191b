import type { EgressPolicy, EgressTarget, Surface } from '../../src/egress/policy.ts'
import {
  type PreparedRequest,
  prepareRequest,
  type RefusedRequest,
  type RequestToPrepare,
} from '../../src/egress/request.ts'
import { policyOf } from './egress-policy.ts'

export const VALUE = 'demo-value-for-header/+1'
export const target: EgressTarget = { scheme: 'https', host: 'api.example.com', port: 443 }

export const NETWORK = ['api.example.com', 'other.example.com']

export function policyWith(value = VALUE, surfaces: readonly Surface[] = ['header']): EgressPolicy {
  return policyOf(NETWORK, { KEY: { value, hosts: ['api.example.com'], in: surfaces } })
}

const plain = policyOf(NETWORK)

const prepare = (part: Partial<RequestToPrepare>): PreparedRequest | RefusedRequest =>
  prepareRequest({ policy: plain, target, method: 'GET', path: '/', rawHeaders: [], ...part })

export function prepared(part: Partial<RequestToPrepare>): PreparedRequest {
  const outcome = prepare(part)
  if ('refused' in outcome) throw new Error(`refused: ${outcome.refused}`)
  return outcome
}

export function refused(part: Partial<RequestToPrepare>): RefusedRequest {
  const outcome = prepare(part)
  if (!('refused' in outcome)) throw new Error('not refused')
  return outcome
}

export function headerOf({ headers }: PreparedRequest, name: string): string | undefined {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text === name)
  return at === -1 ? undefined : headers[at + 1]
}
