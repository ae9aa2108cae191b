import { type EgressRule, oneLine } from '../kernel/index.ts'
import type { EgressRefusal } from './session.ts'

/** The rules in the few words that a phone's line has room for; they stand behind the host. */
const SHORT: Record<EgressRule, string> = {
  no_run: 'after the end of the run',
  host_not_approved: 'not on the approved list',
  method_not_approved: 'was not approved',
  path_not_approved: 'a path that was not approved',
  requests_exceeded: 'more requests than were approved',
  plain_http_not_approved: 'plain http was not approved',
  address_not_public: 'a private address, not approved as such',
  unreachable: 'could not be reached',
  tls_not_verified: 'its certificate could not be verified',
  tls_failed: 'no TLS connection could be agreed on',
  protocol_not_supported: 'it speaks no protocol that can be used',
  host_mismatch: 'the request named two different hosts',
  bad_request: 'a malformed request',
  not_http: 'a protocol that is not HTTP',
  method_not_allowed: 'a method that cannot pass',
  secret_not_for_host: 'a host that the secret is not for',
  secret_not_for_surface: 'a part of the request that the secret is not for',
  range_not_searchable: 'several ranges, or one that is not in bytes',
  answer_unreadable: 'an answer that cannot be searched for secrets',
  answer_malformed: 'an answer that is no HTTP',
  too_many_requests: 'too many requests',
  gateway_fault: 'the gateway failed',
}

const ORIGIN_CHARS = 60
const REQUEST_CHARS = 80
const SECRETS_CHARS = 60

/**
 * One refusal as a line for a person: `evil.com: not on the approved list (2×)`. The host was written by the code, so
 * it is made visible and bounded here; a surface adds its own escaping.
 */
export function describeRefusal(refusal: EgressRefusal): string {
  const where = oneLine(refusal.origin.replace(/^https:\/\//, ''), ORIGIN_CHARS)
  const secrets = oneLine(refusal.secrets.join(', '), SECRETS_CHARS)
  const request = oneLine(refusal.request ?? '', REQUEST_CHARS)
  const times = refusal.count > 1 ? ` (${refusal.count}×)` : ''
  return `${what(refusal.rule, where, secrets, request)}${times}`
}

function what(rule: EgressRule, where: string, secrets: string, request: string): string {
  if (request !== '')
    return `${where}: ${request} ${rule === 'method_not_approved' ? '' : '· '}${SHORT[rule]}`
  if (secrets === '') return `${where}: ${SHORT[rule]}`
  if (rule === 'secret_not_for_host') return `${secrets} placeholder sent to ${where}`
  if (rule === 'secret_not_for_surface')
    return `${secrets} placeholder sent to ${where} in a part not approved`
  return `${secrets} placeholder sent to ${where}: ${SHORT[rule]}`
}
