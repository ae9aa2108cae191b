/** What Deno is allowed, as command-line flags. Both sandboxes build theirs here, so neither drifts. */
import { formatHostPattern, isIpLiteral, parseHostPattern } from '../../kernel/index.ts'

/** No prompts, no files of the project around it, no module from anywhere but the code itself. */
const ALWAYS = [
  '--no-prompt',
  '--no-config',
  '--no-lock',
  '--no-remote',
  '--no-npm',
  '--deny-import',
  '--no-code-cache',
]

/**
 * Deno takes its proxy from these and does not ask whether the code may connect to it: whoever could set one would
 * reach any host.
 */
const PROXY_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'FTP_PROXY',
  'NO_PROXY',
  'NODE_USE_ENV_PROXY',
]

const DENY_PROXIES = `--deny-env=${PROXY_VARIABLES.flatMap((name) => [name, name.toLowerCase()]).join(',')}`

/** The variables of one run, for code that may set no others. */
export const runVariables = (secretNames: Iterable<string>): string[] => [...secretNames, 'OAUTH3_ARGS']

export interface DenoAllowances {
  /** Names of environment variables, or `all` where there is no network and nothing but the run's own. */
  readonly env: 'all' | readonly string[]
  /** A directory to read and write, or null for no files at all. */
  readonly files: string | null
  /** Canonical host patterns. */
  readonly network: readonly string[]
  readonly v8Flags?: readonly string[]
}

export function denoArguments(allow: DenoAllowances, runner: string, mainModule: string): string[] {
  const flags = [...ALWAYS]
  if (allow.env === 'all') {
    if (allow.network.length > 0) throw new TypeError('code with network may not set any variable it likes')
    flags.push('--allow-env')
  } else flags.push(`--allow-env=${allow.env.join(',')}`, DENY_PROXIES)
  if (allow.files !== null) flags.push(`--allow-read=${allow.files}`, `--allow-write=${allow.files}`)
  if (allow.network.length > 0) flags.push(...netFlags(allow.network))
  if (allow.v8Flags !== undefined && allow.v8Flags.length > 0)
    flags.push(`--v8-flags=${allow.v8Flags.join(',')}`)
  return [...flags, `--preload=${runner}`, mainModule]
}

/** Deno's `*.suffix` takes in the suffix itself, ours does not: it is denied unless it was approved by name. */
function netFlags(network: readonly string[]): string[] {
  const grants = network.map(netGrant)
  const denied = grants
    .filter((grant) => grant.startsWith('*.'))
    .map((grant) => grant.slice(2))
    .filter((apex) => !grants.includes(apex))
  const flags = [`--allow-net=${grants.join(',')}`]
  if (denied.length > 0) flags.push(`--deny-net=${denied.join(',')}`)
  return flags
}

/** `host:port` as --allow-net takes it; always with the port, for a bare host would open every port. */
function netGrant(text: string): string {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) throw new TypeError(`not a host pattern: ${text} ${pattern.problem}`)
  if (formatHostPattern(pattern) !== text) throw new TypeError(`not a canonical host pattern: ${text}`)
  const host = isIpLiteral(pattern.host) && pattern.host.includes(':') ? `[${pattern.host}]` : pattern.host
  return `${pattern.wildcard ? '*.' : ''}${host}:${pattern.port}`
}
