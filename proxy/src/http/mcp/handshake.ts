import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type ListToolsResult,
  McpError,
  ErrorCode as RpcCode,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/sdk/types.js'
import type { Request, Response } from 'express'

/** Revisions that begin with a handshake. They are the SDK's, which is loaded with this file: at the first message of MCP. */
export const handshakeVersions: readonly string[] = SUPPORTED_PROTOCOL_VERSIONS

interface Served {
  list(): ListToolsResult['tools']
  /** undefined: no such tool. */
  call(name: string, input: Record<string, unknown>): Promise<CallToolResult | undefined>
}

/** Answers one message of such a revision. */
export async function serveHandshake(
  { request, response, message }: { request: Request; response: Response; message: unknown },
  { instructions, ...identity }: { name: string; version: string; instructions: string },
  tools: Served,
): Promise<void> {
  const server = new Server(identity, { capabilities: { tools: {} }, instructions })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.list() }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const result = await tools.call(params.name, params.arguments ?? {})
    if (result === undefined) throw new McpError(RpcCode.InvalidParams, 'No such tool.')
    return result
  })
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.once('close', () => void Promise.allSettled([transport.close(), server.close()]))
  await server.connect(transport as Transport)
  await transport.handleRequest(request, response, message)
}
