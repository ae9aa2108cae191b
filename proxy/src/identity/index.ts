export {
  type Actor,
  actorOf,
  addressActor,
  agentActor,
  agentOfActor,
  describeActor,
  parseActor,
  personActor,
  telegramActor,
} from './actor.ts'
export { assertAuthorized, authorize, hasProved, resourceOf } from './authorize.ts'
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
  AgentPrincipal,
  ApproverPrincipal,
  OwnerPrincipal,
  Principal,
  ProofMethod,
  SessionId,
  SessionPerson,
  SessionPrincipal,
} from './principal.ts'
