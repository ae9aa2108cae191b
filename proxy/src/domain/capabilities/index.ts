export {
  ANY_METHOD,
  allowsRequest,
  anyCapability,
  approvedName,
  CAPABILITY_LIMITS,
  type Capability,
  canonicalCapability,
  canonicalHost,
  canonicalNetwork,
  capabilityCovers,
  capabilityTexts,
  DEFAULT_REQUESTS,
  FORBIDDEN_METHODS,
  hostCovers,
  hostsOf,
  isAnyMethod,
  isAnyPath,
  MAX_REQUESTS,
  methodProblem,
  parsedPaths,
  uncoveredCapabilities,
} from './capability.ts'
export { describeNetwork } from './describe.ts'
export { type GraphqlOperation, graphqlOperation, isGraphqlPath, operationOfRequest } from './graphql.ts'
export {
  ANY_PATH,
  type PathPattern,
  type PathReadings,
  parsePathPattern,
  pathCovers,
  pathMatches,
  readPath,
} from './path.ts'
