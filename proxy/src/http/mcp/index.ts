export { createMcp } from './mcp.ts'
