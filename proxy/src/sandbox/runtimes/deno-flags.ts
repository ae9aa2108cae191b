import { formatHostPattern, isIpLiteral, parseHostPattern } from '../../kernel/index.ts'

/** What Deno is allowed, as command-line flags. Both sandboxes build theirs here, so neither drifts. */

/** No prompts, no files of the project around it. */
const ALWAYS = ['--no-prompt', '--no-config', '--no-lock', '--no-code-cache']

/** No module from anywhere but the code itself. */
const SELF_CONTAINED = ['--no-remote', '--no-npm', '--deny-import']

/** Modules of the cache alone, whose versions were chosen when it was locked. */
const LOCKED_IMPORTS = ['--cached-only', '--allow-import', '--minimum-dependency-age=0']

/** Of V8: no eval, no Function constructors. The runner forbids the rest where it finds this flag. */
const NO_CODE_FROM_TEXT = '--disallow-code-generation-from-strings'

/**
 * Deno takes its proxy from these and does not ask whether the code may connect to it: on the host, whoever could set
 * one would reach any host.
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

export type DenoAllowances =
  /** The container isolates: files that are there to be read, any variable, any socket of an empty namespace. */
  | { readonly isolation: 'container'; readonly lockedImports: boolean; readonly dynamicCode: boolean }
  /** Deno's permissions isolate: no files, the run's own variables, the approved hosts. */
  | {
      readonly isolation: 'permissions'
      /** Names of environment variables. */
      readonly env: readonly string[]
      /** Canonical host patterns. */
      readonly network: readonly string[]
      /** `address:port` of the process's own proxy, which clients of node:http dial themselves. */
      readonly proxy: string | null
      readonly v8Flags: readonly string[]
      readonly dynamicCode: boolean
    }

export function denoArguments(allow: DenoAllowances, runner: string, mainModule: string): string[] {
  const flags = allow.isolation === 'container' ? containerFlags() : permissionFlags(allow)
  const v8Flags = [
    ...(allow.isolation === 'permissions' ? allow.v8Flags : []),
    ...(allow.dynamicCode ? [] : [NO_CODE_FROM_TEXT]),
  ]
  const imports = allow.isolation === 'container' && allow.lockedImports ? LOCKED_IMPORTS : SELF_CONTAINED
  return [
    ...ALWAYS,
    ...imports,
    ...flags,
    ...(v8Flags.length === 0 ? [] : [`--v8-flags=${v8Flags.join(',')}`]),
    `--preload=${runner}`,
    mainModule,
  ]
}

const containerFlags = (): string[] => [
  '--allow-env',
  '--allow-net',
  '--allow-read=/tmp,/run/oauth3',
  '--allow-write=/tmp,/run/oauth3',
  // Of what can be asked of a machine, this alone is about the container; the runner answers the rest (machine.js).
  '--allow-sys=statfs',
]

function permissionFlags(allow: Extract<DenoAllowances, { isolation: 'permissions' }>): string[] {
  return [
    `--allow-env=${allow.env.join(',')}`,
    DENY_PROXIES,
    ...(allow.network.length === 0 ? [] : netFlags(allow.network, allow.proxy)),
  ]
}

/** Deno's `*.suffix` takes in the suffix itself, ours does not: it is denied unless it was approved by name. */
function netFlags(network: readonly string[], proxy: string | null): string[] {
  const grants = network.map(netGrant)
  const denied = grants
    .filter((grant) => grant.startsWith('*.'))
    .map((grant) => grant.slice(2))
    .filter((apex) => !grants.includes(apex))
  const flags = [`--allow-net=${[...grants, ...(proxy === null ? [] : [proxy])].join(',')}`]
  if (denied.length > 0) flags.push(`--deny-net=${denied.join(',')}`)
  return flags
}

/** `host:port` as --allow-net takes it; always with the port, for a bare host would open every port. */
export function netGrant(text: string): string {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) throw new TypeError(`not a host pattern: ${text} ${pattern.problem}`)
  if (formatHostPattern(pattern) !== text) throw new TypeError(`not a canonical host pattern: ${text}`)
  const host = isIpLiteral(pattern.host) && pattern.host.includes(':') ? `[${pattern.host}]` : pattern.host
  return `${pattern.wildcard ? '*.' : ''}${host}:${pattern.port}`
}
