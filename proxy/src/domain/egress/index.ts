export {
  approvedAddresses,
  bothAllow,
  createPolicy,
  type EgressPolicy,
  type EgressSecret,
  type EgressTarget,
  reaches,
  type Surface,
} from './policy.ts'
export {
  type CertificateIssuer,
  type DialTarget,
  type EgressDial,
  EgressDialError,
  type EgressDoor,
  type EgressDoors,
  GATEWAY_CA,
  GATEWAY_MOUNT,
  GATEWAY_RELAY_PORT,
  GATEWAY_SOCKET,
} from './ports.ts'
export { refusalSaid } from './refusal-said.ts'
export {
  type PreparedRequest,
  prepareRequest,
  type RefusedRequest,
  type RequestToPrepare,
} from './request.ts'
export type { BodyRewriter } from './request-body.ts'
export type { BodyFraming } from './request-framing.ts'
export { type PreparedResponse, prepareResponse, type ResponseToPrepare, scrubberFor } from './response.ts'
export { EGRESS_RULES, type EgressRule } from './rules.ts'
export {
  createEgressSessions,
  type EgressRecord,
  type EgressRefusal,
  type EgressSession,
  type EgressSessions,
  type EgressSummary,
} from './session.ts'
export { authorityOf, judgeTarget, originOf, parseAuthority } from './target.ts'
export { createFrameScrubber, type FrameScrubber, WebSocketFrameError } from './websocket-frames.ts'
