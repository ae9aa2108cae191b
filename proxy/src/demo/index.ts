export { runClaudeDemo } from './claude-demo.ts'
export { runDemo } from './demo.ts'
export { runHostDemo } from './host-demo.ts'
