import { canonicalHost } from '../../egress/capabilities/index.ts'
import { isIpLiteral, oneLine, parseHostPattern } from '../../kernel/index.ts'

/**
 * How far a tool of the CLI reaches. `inside`: the container's walls, which let nothing out, hold it; the app's token is enough.
 * `asks`: it leaves them, so a person is asked about each call. `never`: nothing good comes of it in a run.
 */
type Reach = 'inside' | 'asks' | 'never'

/** Tools by the names that the CLI gives them. What has no row asks: nobody knows what it does. */
const REACH: Readonly<Record<string, Reach>> = {
  // A shell without network: its container has no way out that is not opened by name.
  Bash: 'inside',
  BashOutput: 'inside',
  KillShell: 'inside',
  Read: 'inside',
  Write: 'inside',
  Edit: 'inside',
  MultiEdit: 'inside',
  NotebookRead: 'inside',
  NotebookEdit: 'inside',
  Glob: 'inside',
  Grep: 'inside',
  LS: 'inside',
  TodoWrite: 'inside',
  // Agents within the run: each tool that they use is asked for by itself, and the run's budget counts their calls.
  Agent: 'inside',
  Task: 'inside',
  TaskOutput: 'inside',
  TaskStop: 'inside',
  WebFetch: 'asks',
  WebSearch: 'asks',
  AskUserQuestion: 'never',
  EnterPlanMode: 'never',
  ExitPlanMode: 'never',
}

/** One tool, which the model knows by one name and the CLI asks about by the other. */
const OTHER_NAME: Readonly<Record<string, string>> = { Agent: 'Task', Task: 'Agent' }

/** As the CLI names its own, and those of MCP servers. */
const TOOL_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/
const MCP = /^mcp__([A-Za-z0-9_-]+?)__/

/** What a yes does beside letting the tool work. */
export type ToolEffect =
  /** The container reaches this host meanwhile; a canonical pattern of a host. */
  | { readonly kind: 'host'; readonly host: string }
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
  const reach = Object.hasOwn(REACH, tool) ? REACH[tool] : 'asks'
  if (reach === 'inside') return { decision: 'allow' }
  if (reach === 'never') return deny(NOBODY_HERE)
  if (tool === 'WebFetch') {
    const host = hostToFetch(input.url)
    return 'problem' in host ? deny(`WebFetch here ${host.problem}.`) : ask({ kind: 'host', ...host })
  }
  if (tool === 'WebSearch') return ask({ kind: 'vendor' })
  const server = MCP.exec(tool)?.[1]
  return ask(server === undefined ? { kind: 'unknown' } : { kind: 'mcp', server })
}

const ask = (effect: ToolEffect): ToolDecision => ({ decision: 'ask', effect })
const deny = (message: string): ToolDecision => ({ decision: 'deny', message })

const NOBODY_HERE =
  'Nobody sits at this run. Decide by yourself, and say in your answer what you took for granted.'

/**
 * The host of an address to fetch. Names alone: an approved literal would be reached in private networks too (SSRF), and a name
 * without a dot is one of the daemon's own network.
 */
function hostToFetch(url: unknown): { readonly host: string } | { readonly problem: string } {
  const parsed = typeof url === 'string' ? URL.parse(url) : null
  if (parsed === null) return { problem: 'takes a whole address, as https://example.com/page' }
  if (parsed.protocol !== 'https:') return { problem: 'takes addresses of https alone' }
  if (parsed.username !== '' || parsed.password !== '')
    return { problem: 'takes no address with a user or password' }
  const host = canonicalHost(parsed.host)
  const pattern = typeof host === 'string' ? parseHostPattern(host) : host
  if (typeof host !== 'string' || 'problem' in pattern || pattern.wildcard)
    return { problem: 'cannot reach this host' }
  if (isIpLiteral(pattern.host) || !pattern.host.includes('.') || pattern.host.endsWith('.localhost'))
    return { problem: 'takes the public name of a host' }
  return { host }
}
