import {
  approvedName,
  CAPABILITY_LIMITS,
  canonicalHost,
  MAX_REQUESTS,
  methodProblem,
  parsePathPattern,
} from '../egress/capabilities/index.ts'
import { AppError } from '../kernel/index.ts'
import type { RequestedHost } from './facts/index.ts'

/** An entry of `network` as an agent states it. */
export type NetworkEntry = string | RequestedHost

/** The entries in canonical form; throws `invalid_request` with what is wrong with the first that is none. */
export const requestedHosts = (network: readonly NetworkEntry[]): RequestedHost[] =>
  network.map((entry) => requestedHost(typeof entry === 'string' ? { host: entry } : entry))

function requestedHost(entry: RequestedHost): RequestedHost {
  const host = canonicalHost(entry.host)
  if (typeof host !== 'string') throw invalid(entry.host, host.problem)
  const { methods, paths, requests, websocket } = entry
  for (const method of methods ?? []) {
    const problem = methodProblem(method)
    if (problem !== null) throw invalid(method, problem)
  }
  if (methods?.length === 0 && websocket !== true)
    throw invalid(host, 'has no methods; leave them out to have them derived')
  if (paths?.length === 0) throw invalid(host, 'has no paths; leave them out to have them derived')
  if ((methods?.length ?? 0) > CAPABILITY_LIMITS.methods || (paths?.length ?? 0) > CAPABILITY_LIMITS.paths) {
    const { methods: most, paths: longest } = CAPABILITY_LIMITS
    throw new AppError(
      'too_large',
      `An entry of the network list has at most ${most} methods and ${longest} paths.`,
    )
  }
  if (requests !== undefined && !(Number.isInteger(requests) && requests >= 1 && requests <= MAX_REQUESTS)) {
    throw invalid(host, `takes 1 to ${MAX_REQUESTS} requests`)
  }
  return {
    ...entry,
    host,
    ...(methods === undefined ? {} : { methods: methods.map(approvedName) }),
    ...(paths === undefined ? {} : { paths: paths.map(canonicalPath) }),
  }
}

function canonicalPath(text: string): string {
  const pattern = parsePathPattern(text)
  if ('problem' in pattern) throw invalid(text, pattern.problem)
  return pattern.text
}

const invalid = (text: string, problem: string): AppError =>
  new AppError('invalid_request', `network: "${text.slice(0, 100)}" ${problem}.`)
