import { type HostPattern, parseHostPattern } from '../kernel/index.ts'
import { ANY_METHOD, ANY_PATH, type Capability, type PathPattern, parsedPaths } from './capabilities/index.ts'

/** A capability, read once for its run. */
export interface CompiledCapability {
  readonly host: HostPattern
  /** Null for any. */
  readonly methods: ReadonlySet<string> | null
  /** Null for any. */
  readonly paths: readonly PathPattern[] | null
  readonly requests: number
  readonly websocket: boolean
  readonly mutations: boolean
}

export function compileCapability(capability: Capability): CompiledCapability {
  const { methods, paths, requests, websocket } = capability
  return {
    host: parsedHost(capability.host),
    methods: methods.includes(ANY_METHOD) ? null : new Set(methods),
    paths: paths.includes(ANY_PATH) ? null : parsedPaths(paths),
    requests,
    websocket,
    mutations: capability.graphql === 'mutation',
  }
}

/** Throws on what is no pattern: consents hold canonical ones only. */
export function parsedHost(text: string): HostPattern {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) throw new TypeError(`not a host pattern: ${text}`)
  return pattern
}
