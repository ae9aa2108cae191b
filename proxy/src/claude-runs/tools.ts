/** The daemon's own MCP server, which the CLI reaches through its control protocol: nothing of it is in the container. */
export const OWN_SERVER = 'oauth3'
/** Its one tool: an HTTP request, with secrets that are put in outside of the container. */
export const REQUEST_TOOL = `mcp__${OWN_SERVER}__request`

/**
 * How far a tool of the CLI reaches. `inside`: the container's walls, which let nothing out, hold it; the app's token is enough.
 * `asks`: it leaves them, so a person is asked about each call. `never`: nothing good comes of it in a run.
 */
type Reach = 'inside' | 'asks' | 'never'

/** Tools by the names that the CLI gives them. What has no row asks: nobody knows what it does. */
export const TOOL_REACH: Readonly<Record<string, Reach>> = {
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
  [REQUEST_TOOL]: 'asks',
  AskUserQuestion: 'never',
  EnterPlanMode: 'never',
  ExitPlanMode: 'never',
}

/** Tools that run programs, which reach hosts by themselves. */
const COMMAND_TOOLS: readonly string[] = ['Bash']

export const runsCommands = (tools: readonly string[]): boolean =>
  COMMAND_TOOLS.some((name) => tools.includes(name))

/** What an app can be allowed. */
export const KNOWN_TOOLS: readonly string[] = Object.keys(TOOL_REACH).filter(
  (name) => TOOL_REACH[name] !== 'never',
)
