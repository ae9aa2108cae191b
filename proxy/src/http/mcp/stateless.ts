import type { IncomingHttpHeaders } from 'node:http'

/**
 * MCP 2026-07-28, without a handshake: each request says its version and its client's capabilities in `_meta`, and mirrors method and
 * name in its head (modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http).
 */
export const STATELESS_VERSION = '2026-07-28'

const META = 'io.modelcontextprotocol/'
/** JSON-RPC 2.0, and the codes of the revision. */
export const RPC_CODES = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  headerMismatch: -32020,
  unsupportedVersion: -32022,
} as const

export interface StatelessRequest {
  readonly id: string | number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

export interface RpcRefusal {
  readonly httpStatus: number
  readonly id: string | number | null
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const metaOf = (message: Fields): Fields => {
  const params = isObject(message.params) ? message.params : {}
  return isObject(params._meta) ? params._meta : {}
}

/** Whether a message is of this revision or a later one; all others begin with `initialize`, or go on from one. */
export function isStateless(message: unknown, headers: IncomingHttpHeaders): message is Fields {
  if (!isObject(message) || message.method === 'initialize') return false
  const version = headers['mcp-protocol-version']
  return (
    message.method === 'server/discover' ||
    `${META}protocolVersion` in metaOf(message) ||
    (typeof version === 'string' && version >= STATELESS_VERSION)
  )
}

/** Null: a notification, of which this revision has none that matters here. */
export function readStateless(
  message: Fields,
  headers: IncomingHttpHeaders,
  earlierVersions: readonly string[],
): StatelessRequest | RpcRefusal | null {
  const { id, method } = message
  if (!('id' in message)) return null
  const known = typeof id === 'string' || Number.isInteger(id) ? (id as string | number) : null
  const refused = (code: number, text: string, data?: unknown): RpcRefusal => ({
    httpStatus: 400,
    id: known,
    code,
    message: text,
    ...(data === undefined ? {} : { data }),
  })
  if (known === null || message.jsonrpc !== '2.0' || typeof method !== 'string') {
    return refused(RPC_CODES.invalidRequest, 'Send one JSON-RPC 2.0 request with a method and an id.')
  }
  const meta = metaOf(message)
  const version = meta[`${META}protocolVersion`]
  if (typeof version !== 'string' || !isObject(meta[`${META}clientCapabilities`])) {
    const text = `Each request says ${META}protocolVersion and ${META}clientCapabilities in params._meta.`
    return refused(RPC_CODES.invalidParams, text)
  }
  const params = message.params as Fields
  const wanted: [header: string, value: unknown][] = [
    ['MCP-Protocol-Version', version],
    ['Mcp-Method', method],
    ...(method === 'tools/call' ? ([['Mcp-Name', params.name]] as [string, unknown][]) : []),
  ]
  for (const [name, value] of wanted) {
    const header = headers[name.toLowerCase()]
    if (typeof header === 'string' && decoded(header) === value) continue
    const text = header === undefined ? 'is missing' : 'does not match the body'
    return refused(RPC_CODES.headerMismatch, `Header mismatch: ${name} ${text}.`)
  }
  if (version !== STATELESS_VERSION) {
    const data = { supported: [STATELESS_VERSION, ...earlierVersions], requested: version }
    return refused(RPC_CODES.unsupportedVersion, 'Unsupported protocol version', data)
  }
  return { id: known, method, params }
}

/** What no header can hold comes in base64. */
function decoded(header: string): string {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(header)?.[1]
  return encoded === undefined ? header : Buffer.from(encoded, 'base64').toString()
}
