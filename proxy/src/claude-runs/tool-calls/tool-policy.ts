import { oneLine } from '../../kernel/index.ts'
import { REQUEST_TOOL, TOOL_REACH } from '../index.ts'
import { readOwnRequest } from './own-request.ts'
import { hostToFetch } from './public-host.ts'

/** One tool, which the model knows by one name and the CLI asks about by the other. */
const OTHER_NAME: Readonly<Record<string, string>> = { Agent: 'Task', Task: 'Agent' }

/** As the CLI names its own, and those of MCP servers. */
const TOOL_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/
const MCP = /^mcp__([A-Za-z0-9_-]+?)__/

/** What a yes does beside letting the tool work. */
export type ToolEffect =
  /** The container reaches this host meanwhile; a canonical pattern of a host. */
  | { readonly kind: 'host'; readonly host: string }
  /** Everything in the container reaches this host until the run ends; a canonical pattern of a host. */
  | { readonly kind: 'network'; readonly host: string }
  /** The daemon sends one request to this host, with the values of these secrets in their places. */
  | {
      readonly kind: 'request'
      readonly host: string
      readonly method: string
      readonly secrets: readonly string[]
    }
  /** The arguments go to the vendor of the model, which does the work. */
  | { readonly kind: 'vendor' }
  /** They go to this MCP server of the run. */
  | { readonly kind: 'mcp'; readonly server: string }
  | { readonly kind: 'unknown' }

export type ToolDecision =
  | { readonly decision: 'allow' }
  | { readonly decision: 'ask'; readonly effect: ToolEffect }
  /** `message` is for the model. */
  | { readonly decision: 'deny'; readonly message: string }

/** What becomes of a call before any person is asked. Fails closed: what is not read with certainty is denied. */
export function decideTool(
  tool: string,
  input: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): ToolDecision {
  const isAllowed = [tool, ...(Object.hasOwn(OTHER_NAME, tool) ? [OTHER_NAME[tool]] : [])].some(
    (name) => name !== undefined && allowed.includes(name),
  )
  if (!isAllowed) return deny(`The token of this app does not allow ${oneLine(tool, 64)}.`)
  if (!TOOL_NAME.test(tool)) return deny('That is no name of a tool.')
  const reach = Object.hasOwn(TOOL_REACH, tool) ? TOOL_REACH[tool] : 'asks'
  if (reach === 'inside') return { decision: 'allow' }
  if (reach === 'never') return deny(NOBODY_HERE)
  if (tool === 'WebFetch') {
    const host = hostToFetch(input.url)
    return 'problem' in host ? deny(`WebFetch here ${host.problem}.`) : ask({ kind: 'host', ...host })
  }
  if (tool === REQUEST_TOOL) {
    const request = readOwnRequest(input)
    if ('problem' in request) return deny(`The request ${request.problem}.`)
    const { host, method, secrets } = request
    return ask({ kind: 'request', host, method, secrets })
  }
  if (tool === 'WebSearch') return ask({ kind: 'vendor' })
  const server = MCP.exec(tool)?.[1]
  return ask(server === undefined ? { kind: 'unknown' } : { kind: 'mcp', server })
}

const ask = (effect: ToolEffect): ToolDecision => ({ decision: 'ask', effect })
const deny = (message: string): ToolDecision => ({ decision: 'deny', message })

const NOBODY_HERE =
  'Nobody sits at this run. Decide by yourself, and say in your answer what you took for granted.'
