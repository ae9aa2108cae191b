export { type ClaudeRunnerOptions, createClaudeRunner } from './claude-runner.ts'
