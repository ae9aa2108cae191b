export {
  type Actor,
  accountActor,
  actorOf,
  addressActor,
  agentActor,
  agentOfActor,
  appActor,
  describeActor,
  parseActor,
  personActor,
  telegramActor,
} from './actor.ts'
export { assertAuthorized, authorize, hasProved, resourceOf } from './authorize.ts'
export { addressInCidr, assertCidr, networksMeet } from './cidrs.ts'
export { createConfiguredMemberships, isMember, type Memberships } from './memberships.ts'
export { type Action, PERMISSIONS } from './permissions.ts'
export {
  accountOf,
  channelOf,
  countDeciders,
  countPersons,
  type DeciderAccount,
  type DeciderChannel,
  isDecider,
  type OwnerIs,
  type Persons,
  personOf,
} from './person.ts'
export type {
  AccountPrincipal,
  AgentPrincipal,
  AppPrincipal,
  ApproverPrincipal,
  OwnerPrincipal,
  Principal,
  ProofMethod,
  SessionId,
  SessionPerson,
  SessionPrincipal,
} from './principal.ts'
export {
  agentRequester,
  appRequester,
  createRequesters,
  type NamedRequester,
  type Requester,
  type RequesterNames,
  type Requesters,
} from './requester.ts'
export { variableInToken } from './variable-in-token.ts'
