import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  McpError,
  ErrorCode as RpcCode,
} from '@modelcontextprotocol/sdk/types.js'
import express, { type Request, type Response, type Router } from 'express'
import type { Logger } from 'pino'
import type { Agent } from '../../domain/agents/index.ts'
import type { Execution } from '../../domain/executions/index.ts'
import { AppError } from '../../kernel/index.ts'
import {
  appErrorOf,
  callerGone,
  createEdge,
  createErrorAnswer,
  createSeen,
  type Metrics,
  methodNotAllowed,
  parseJsonBody,
  readBody,
  routeName,
  sendError,
  withIssues,
} from '../agent-api/index.ts'
import { assertOrigin } from './origin.ts'
import { createTools, type Tool, type ToolDeps } from './tools.ts'

/**
 * The Model Context Protocol over streamable HTTP, without sessions: each POST carries one message and is answered with
 * JSON. Tokens, limits, checks and audit are those of the HTTP API.
 */
export interface McpDeps extends ToolDeps {
  readonly metrics: Metrics
  readonly version: string
  readonly log: Logger
}

export function createMcp(deps: McpDeps): Router {
  const { gate, log } = deps
  const tools = createTools(deps)
  const seen = createSeen(deps)
  const router = express.Router()

  const serve = async (agent: Agent, request: Request, response: Response): Promise<void> => {
    const message = parseJsonBody(await readBody(request, response))
    if (Array.isArray(message))
      throw new AppError('invalid_request', 'Send one message at a time, not a batch.')
    const server = createServer(deps, tools, {
      agent,
      request,
      signal: callerGone(response),
      onAnswered: (execution) => seen.after(response, execution),
    })
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    response.once('close', () => void Promise.allSettled([transport.close(), server.close()]))
    await server.connect(transport as Transport)
    await transport.handleRequest(request, response, message)
  }

  const post = async (request: Request, response: Response): Promise<void> => {
    let who: Agent | Request = request
    try {
      assertOrigin(request)
      const agent = await gate.admit(request)
      who = agent
      await gate.take('read', agent.id)
      await serve(agent, request, response)
    } catch (caught) {
      if (response.destroyed && !(caught instanceof AppError)) return
      const error = appErrorOf(caught, log)
      gate.refused(who, error, { surface: 'mcp', toRun: false })
      if (response.headersSent) response.destroy()
      else sendError(response, error)
    }
  }

  router.use(createEdge(deps.metrics))
  router.route('/').all(routeName('/mcp')).post(post).all(methodNotAllowed('POST'))
  router.use(createErrorAnswer(log))
  return router
}

interface Caller {
  readonly agent: Agent
  readonly request: Request
  readonly signal: AbortSignal
  readonly onAnswered: (execution: Execution) => void
}

function createServer(deps: McpDeps, tools: readonly Tool[], caller: Caller): Server {
  const server = new Server({ name: 'oauth3', version: deps.version }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, title, description, inputSchema, readOnly }) => ({
      name,
      title,
      description,
      inputSchema: { ...inputSchema, type: 'object' as const },
      annotations: { readOnlyHint: readOnly, openWorldHint: !readOnly },
    })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const tool = tools.find((candidate) => candidate.name === params.name)
    if (!tool) throw new McpError(RpcCode.InvalidParams, 'No such tool.')
    return callTool(deps, tool, params.arguments ?? {}, caller)
  })
  return server
}

/** A refusal is a tool's answer too, in the same shape as over HTTP, so that the model can read it. */
async function callTool(
  deps: McpDeps,
  tool: Tool,
  input: Record<string, unknown>,
  caller: Caller,
): Promise<CallToolResult> {
  const { agent, signal, onAnswered } = caller
  try {
    if (tool.limit === 'execute') await deps.gate.take('execute', agent.id)
    const { content, execution } = await tool.call({ agent, input, signal })
    if (execution) onAnswered(execution)
    return result(content, false)
  } catch (caught) {
    const error = withIssues(appErrorOf(caught, deps.log))
    deps.gate.refused(agent, error, { surface: 'mcp', toRun: tool.limit === 'execute' })
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
