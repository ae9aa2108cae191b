export {
  ANY_METHOD,
  allowsRequest,
  anyCapability,
  approvedName,
  CAPABILITY_LIMITS,
  type Capability,
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
  isUnsafe,
  MAX_REQUESTS,
  methodProblem,
  parsedPaths,
  SAFE_METHODS,
  uncoveredCapabilities,
} from './capability.ts'
export { describeNetwork, isNetworkCut } from './describe.ts'
export { graphqlOperation, isGraphqlPath, operationOfRequest } from './graphql.ts'
export { isPublicName, listedHost } from './listed-host.ts'
export { partsOf } from './multipart.ts'
export {
  ANY_PATH,
  type PathPattern,
  parsePathPattern,
  pathCovers,
  pathMatches,
  readPath,
} from './path.ts'
export { decoded, type NameParts, nameParts } from './registrable.ts'
export { suffixBelow } from './suffix-below.ts'
export { decodedBytes, hasOddCharset, isWideText, parametersWith, withoutLetterEscapes } from './texts.ts'
