import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import express, { type Request, type Response, type Router } from 'express'
import type { Logger } from 'pino'
import { createSeen } from '../../executions/agent-routes/index.ts'
import type { Execution } from '../../executions/index.ts'
import { assertAuthorized, resourceOf } from '../../identity/index.ts'
import { AppError } from '../../kernel/index.ts'
import {
  type AgentCaller,
  createEdge,
  createErrorAnswer,
  createForAgent,
  type Metrics,
  methodNotAllowed,
  parseJsonBody,
  readBody,
  routeName,
  sendJson,
  withIssues,
} from '../agent-api/index.ts'
import { callerGone, knownError } from '../index.ts'
import { assertOrigin } from './origin.ts'
import {
  isStateless,
  RPC_CODES,
  type RpcRefusal,
  readStateless,
  STATELESS_VERSION,
  type StatelessRequest,
} from './stateless.ts'
import type { Tool } from './tool.ts'
import { createTools, type ToolDeps } from './tools.ts'

/** For the model: what the tools are for, in which order they are used, and that a person stands in between. */
const INSTRUCTIONS =
  'oauth3 runs code that needs secrets you do not have. Write the code, name the secrets and the hosts it sends to, and call execute; a person ' +
  'approves it on their own device, which may take minutes, and the gateway puts the values in on the way out. list_secrets has the names and hosts. ' +
  'explain says, without asking anybody, what a request would ask for: use it to ask for no more than is needed. With `wait` execute and execution_status ' +
  'hold their answer; while the state is pending, go on with other work and ask execution_status later. list_requests has all that waits for a person. Do not submit the same request again: it would ' +
  'ask the person twice. A denied request is the person’s answer; do not work around it.'

/**
 * The Model Context Protocol over streamable HTTP, without sessions: each POST carries one message and is answered with
 * JSON. Revision 2026-07-28 is answered here, those that begin with a handshake by the SDK. Tokens, limits, checks and audit are those of the HTTP API.
 */
export interface McpDeps extends ToolDeps {
  readonly metrics: Metrics
  readonly version: string
  readonly log: Logger
}

export function createMcp(deps: McpDeps): Router {
  const tools = createTools(deps)
  const seen = createSeen(deps)
  const router = express.Router()

  const serve = async (who: AgentCaller, request: Request, response: Response): Promise<void> => {
    const message = parseJsonBody(await readBody(request, response))
    if (Array.isArray(message))
      throw new AppError('invalid_request', 'Send one message at a time, not a batch.')
    const caller: Caller = {
      who,
      signal: callerGone(response),
      onAnswered: (execution) => seen.after(response, execution),
    }
    const { handshakeVersions, serveHandshake } = await import('./handshake.ts')
    if (isStateless(message, request.headers)) {
      const asked = readStateless(message, request.headers, handshakeVersions)
      await answerStateless(response, asked, (one) => resultOf(one, deps, tools, caller))
      return
    }
    await serveHandshake(
      { request, response, message },
      { ...identityOf(deps), instructions: INSTRUCTIONS },
      {
        list: () => listed(tools),
        async call(name, input) {
          const tool = tools.find((candidate) => candidate.name === name)
          return tool && (await callTool(deps, tool, input, caller))
        },
      },
    )
  }

  const post = createForAgent(deps)({ surface: 'mcp', limit: 'read', before: assertOrigin }, serve)
  router.use(createEdge(deps.metrics))
  router.route('/').all(routeName('/mcp')).post(post).all(methodNotAllowed('POST'))
  router.use(createErrorAnswer(deps.log))
  return router
}

interface Caller {
  readonly who: AgentCaller
  readonly signal: AbortSignal
  readonly onAnswered: (execution: Execution) => void
}

const identityOf = ({ version }: McpDeps) => ({ name: 'oauth3', version })

const listed = (tools: readonly Tool[]) =>
  tools.map(({ name, title, description, inputSchema, outputSchema, readOnly }) => ({
    name,
    title,
    description,
    inputSchema: { ...inputSchema, type: 'object' as const },
    outputSchema: { ...outputSchema, type: 'object' as const },
    annotations: { readOnlyHint: readOnly, openWorldHint: !readOnly },
  }))

/** The lists are the same for all agents, and change with the daemon's version only. */
const FRESH = { ttlMs: 3_600_000, cacheScope: 'public' }

/** What a request of the revision without handshake is answered. */
async function resultOf(
  { id, method, params }: StatelessRequest,
  deps: McpDeps,
  tools: readonly Tool[],
  caller: Caller,
): Promise<object | RpcRefusal> {
  const shared = { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': identityOf(deps) } }
  if (method === 'server/discover') {
    const told = { supportedVersions: [STATELESS_VERSION], capabilities: { tools: {} } }
    return { ...shared, ...told, serverInfo: identityOf(deps), instructions: INSTRUCTIONS, ...FRESH }
  }
  if (method === 'tools/list') return { ...shared, tools: listed(tools), ...FRESH }
  if (method !== 'tools/call') {
    return {
      httpStatus: 404,
      id,
      code: RPC_CODES.methodNotFound,
      message: `Method not found: ${method.slice(0, 64)}`,
    }
  }
  const { name, arguments: input = {} } = params
  const tool = tools.find((candidate) => candidate.name === name)
  if (!tool) return { httpStatus: 200, id, code: RPC_CODES.invalidParams, message: 'No such tool.' }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { httpStatus: 200, id, code: RPC_CODES.invalidParams, message: 'arguments is an object.' }
  }
  return { ...shared, ...(await callTool(deps, tool, input as Record<string, unknown>, caller)) }
}

async function answerStateless(
  response: Response,
  asked: StatelessRequest | RpcRefusal | null,
  answer: (asked: StatelessRequest) => Promise<object | RpcRefusal>,
): Promise<void> {
  if (asked === null) {
    response.statusCode = 202
    response.end()
    return
  }
  const told = 'code' in asked ? asked : await answer(asked)
  if (!('httpStatus' in told)) {
    sendJson(response, 200, { jsonrpc: '2.0', id: asked.id, result: told })
    return
  }
  const { httpStatus, id, ...error } = told as RpcRefusal
  sendJson(response, httpStatus, { jsonrpc: '2.0', ...(id === null ? {} : { id }), error })
}

/** A refusal is a tool's answer too, in the same shape as over HTTP, so that the model can read it. */
async function callTool(
  deps: McpDeps,
  tool: Tool,
  input: Record<string, unknown>,
  caller: Caller,
): Promise<CallToolResult> {
  const { who, signal, onAnswered } = caller
  const { agent, by } = who
  const { tenant } = deps.storage
  try {
    assertAuthorized(by, tool.action, resourceOf(tenant, tool.action, agent.id))
    if (tool.limit === 'execute') await deps.gate.take('execute', agent.id)
    const { content, execution } = await tool.call({ caller: who, input, signal })
    if (execution) onAnswered(execution)
    return result(content, false)
  } catch (caught) {
    const error = withIssues(knownError(caught, deps.log))
    await deps.gate.refused(agent, error, { surface: 'mcp', toRun: tool.limit === 'execute' })
    const { retryAfterSeconds } = error
    return result(
      { ...error.toBody(), ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }) },
      true,
    )
  }
}

const result = (content: object, isError: boolean): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(content) }],
  structuredContent: content as Record<string, unknown>,
  isError,
})
