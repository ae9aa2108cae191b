export {
  isRunOver,
  RUN_ENDING_CODES,
  RUN_ENDINGS,
  RUN_STATES,
  type RunEnding,
  type RunState,
} from './codes.ts'
export { ALWAYS_REFUSED, CLAUDE_RUNS_ROUTES, type ClaudeRunsScope } from './routes.ts'
export { fileView, mintBody, type RunView, runBody, runView, serviceHealth } from './schemas.ts'
