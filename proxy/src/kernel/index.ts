export { formatBytes } from './bytes.ts'
export { canonicalJson, type Json } from './canonical-json.ts'
export { CLOCK_SLACK_MS, type Clock, systemClock, type UnixMs } from './clock.ts'
export { equalInConstantTime } from './constant-time.ts'
export { DAY_MS, firstOfDays, utcDay } from './days.ts'
export {
  algorithmOf,
  type DecisionProof,
  type DecisionStatement,
  decisionChallenge,
  PASSKEY_ALGORITHMS,
  type PasskeyAlgorithm,
  verifyDecisionProof,
} from './decision-proof.ts'
export { EGRESS_RULES, type EgressRule, statusOfRule } from './egress-rules.ts'
export { isReservedName, SECRET_NAME } from './env-names.ts'
export { AppError, asAppError, ERROR_TABLE, type ErrorCode, isStorageTrouble } from './errors.ts'
export { createEventLog, type EventLog, type LoggedEvent } from './event-log.ts'
export { createEvents, type EventPublisher, type Events } from './events.ts'
export { createFairQueue, type FairQueue, type QueueBounds } from './fair-queue.ts'
export { createSharedTotal, fairShare, groupShares, type SharedTotal } from './fair-share.ts'
export { createFairSlots, type FairSlots, type SlotShares } from './fair-slots.ts'
export type { CheckResult, DoctorCheck, HealthReport } from './health.ts'
export {
  formatHostPattern,
  type HostPattern,
  hostPatternCovers,
  isIpLiteral,
  isPrivateAddress,
  isPublicAddress,
  parseHostPattern,
} from './host-pattern.ts'
export {
  type AccountId,
  type AgentId,
  type AppId,
  type CallerId,
  type CodeHash,
  type ConsentHash,
  DEFAULT_TENANT,
  isAgentId,
  isMachineId,
  isTenantId,
  type MachineId,
  newAccountId,
  newAgentId,
  newAppId,
  newMachineId,
  newRequestId,
  newRunId,
  newTenantId,
  type RequestId,
  type RunId,
  randomToken,
  sha256Hex,
  type TenantId,
} from './ids.ts'
export { lazily } from './lazily.ts'
export { createLoopTurns, type LoopTurns, loopTurns, type Turn } from './loop-turns.ts'
export { createMirror, type Mirror } from './mirror.ts'
export { formatExactUsd, formatUsd } from './money.ts'
export { isNestedWithin } from './nesting.ts'
export { createOneAtATime, createOneAtATimeEach, type OneAtATime } from './one-at-a-time.ts'
export {
  bearerTokenOf,
  isToken,
  newRefreshToken,
  newToken,
  sessionOfRefreshToken,
  TOKEN_PREFIX,
  withoutTokens,
} from './own-tokens.ts'
export { currentOwner, DAEMON_OWNER, onBehalfOf } from './owner-context.ts'
export { passedOn } from './passed-on.ts'
export { adminSocketPath } from './paths.ts'
export { isLoopbackAddress, networkOf, plainAddress } from './peer-address.ts'
export { openToOthers } from './private-mode.ts'
export { keyPartsOf } from './public-key-parts.ts'
export { remembering } from './remembering.ts'
export { MIN_SECRET_BYTES, SecretValue } from './secret-value.ts'
export { parseSleepAfter } from './sleep-after.ts'
export { createTokenBuckets, type TokenBuckets } from './token-buckets.ts'
export type {
  Durability,
  MetaReader,
  MetaStore,
  ReadTx,
  Storage,
  StorePorts,
  Stores,
  Tx,
} from './unit-of-work.ts'
export { hasHiddenCharacters, oneLine, visibleText } from './visible-text.ts'
export {
  CAPABILITY_LIMITS,
  CONSENT_SURFACES,
  DEFAULT_REQUESTS,
  EXECUTION_STATES,
  type ExecutionStatus,
  FAILURE_CODES,
  type FailureCode,
  MAX_NAMED,
  MAX_REQUESTS,
  RUN_LIMITS,
} from './wire-words.ts'
export { wordSet } from './word-set.ts'
export { createWriteBehind, type WriteBehind } from './write-behind.ts'
