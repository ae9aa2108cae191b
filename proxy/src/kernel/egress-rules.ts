/** Why the gateway refused a request. The text completes "refused: …"; docs/reference/gateway-rules.md is generated. */
export const EGRESS_RULES = {
  no_run: 'this sandbox has no run, or its run has ended',
  host_not_approved: 'this host and port are not on the approved list of this run',
  method_not_approved:
    'this method (or a WebSocket, or a GraphQL mutation) was not approved for this host; error.ask is the entry to ask for',
  path_not_approved:
    'this path was not approved for this method and host, or servers could read it differently; error.ask is the entry to ask for',
  requests_exceeded:
    'the run used up the requests that were approved for this; error.ask is the entry to ask for',
  plain_http_not_approved: 'plain http to this host was not approved; approve http://host, or use https',
  address_not_public: 'the host leads to a private, local or metadata address that was not approved as such',
  unreachable: 'the host could not be resolved or reached',
  tls_not_verified: "the host's certificate could not be verified",
  tls_failed:
    'no TLS connection to the host could be agreed on: a version or cipher, a certificate that it asks of its clients, or no TLS on this port',
  protocol_not_supported:
    'the host speaks no protocol that can be used here: HTTP/1.1, and HTTP/2 unless the owner has set OAUTH3_HTTP2=off, but for a WebSocket',
  host_mismatch: 'CONNECT target, TLS server name and Host header do not name the same host',
  bad_request: 'the request is malformed or ambiguous',
  not_http:
    'this is not HTTP; only HTTP and WebSocket pass the gateway, plain or in TLS, and no other protocol (mail, databases, SSH, MQTT without WebSocket)',
  method_not_allowed: 'this method cannot pass the gateway',
  secret_not_for_host: 'a placeholder was sent to a host that its secret is not bound to',
  secret_not_for_surface:
    'a placeholder was sent in a part of the request that was not approved for its secret',
  range_not_searchable:
    'of several ranges, or one that is not in bytes, the parts cannot be searched for secrets over their borders; ask for one range of bytes, or for everything',
  answer_unreadable: 'the answer has an encoding, or is a part, that cannot be searched for secrets',
  answer_malformed:
    'the host answered, but in no HTTP that can be read: a malformed or too large head, more than one length, or another protocol',
  too_many_requests:
    'the run made more requests, or more at once, than a run may, or runs of its agent look up too many names at once',
  gateway_fault: 'the gateway failed on this request; the log of the daemon has the details',
} as const

export type EgressRule = keyof typeof EGRESS_RULES

const STATUS: Partial<Record<EgressRule, number>> = {
  bad_request: 400,
  too_many_requests: 429,
  gateway_fault: 500,
  unreachable: 502,
  tls_not_verified: 502,
  tls_failed: 502,
  protocol_not_supported: 502,
  answer_unreadable: 502,
  answer_malformed: 502,
}

/** HTTP status of the gateway's answer. */
export const statusOfRule = (rule: EgressRule): number => STATUS[rule] ?? 403
