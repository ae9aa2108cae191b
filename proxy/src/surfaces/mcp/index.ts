export { createMcp, type McpDeps } from './mcp.ts'
