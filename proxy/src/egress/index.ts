export { EGRESS_RULES, type EgressRule } from '../kernel/index.ts'
export {
  type AskEntry,
  type Authorized,
  askForMore,
  authorizeBody,
  authorizeRequest,
  freeEntries,
} from './authorize.ts'
export {
  ANY_CLAIMS,
  type BodyClaims,
  type BodyInspection,
  claimsOf,
  type LargeInspections,
} from './body-claims.ts'
export type { RequestedPart } from './byte-range.ts'
export { codingsOf } from './content-coding.ts'
export { describeRefusal } from './describe-refusal.ts'
export {
  type HeaderField,
  isHopByHop,
  namedByConnection,
  readFields,
} from './header-fields.ts'
export { createLoopbackNames, type LoopbackNames } from './loopback-names.ts'
export { overridingMethods } from './method-override.ts'
export {
  type ApprovedSecret,
  approvedAddresses,
  bothAllow,
  createPolicy,
  type EgressApproval,
  type EgressPolicy,
  type EgressTarget,
  reaches,
  type Surface,
} from './policy.ts'
export {
  type ApprovedAddresses,
  type CertificateIssuer,
  type EgressDial,
  EgressDialError,
  type EgressEndpoint,
  type EgressEndpoints,
  GATEWAY_CA,
  GATEWAY_MOUNT,
  GATEWAY_RESOLVER,
  GATEWAY_SOCKET,
  type LastingEndpoint,
  type LastingEndpoints,
} from './ports.ts'
export {
  type PreparedRequest,
  prepareRequest,
  type RequestToPrepare,
} from './request.ts'
export { declaredBody } from './request-framing.ts'
export {
  type BodyFilter,
  type BodySearch,
  prepareResponse,
  prepareTrailers,
  type ShortBody,
  scrubberFor,
} from './response.ts'
export {
  createEgressSessions,
  type EgressAsker,
  type EgressRefusal,
  type EgressSession,
  type EgressSessions,
  type EgressSummary,
} from './session.ts'
export { authorityOf, checkTarget, originOf, parseAuthority } from './target.ts'
export {
  createFramePlacer,
  createFrameScrubber,
  type FrameRewriter,
  WebSocketFrameError,
} from './websocket-frames.ts'
