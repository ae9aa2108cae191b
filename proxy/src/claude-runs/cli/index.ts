export { FilesRefused, planFiles } from './attachments.ts'
export { type Collector, createCollector } from './collector.ts'
export { evaluateOutcome, type Verdict } from './evaluate-outcome.ts'
export { createLineReader } from './lines.ts'
export { type CliMessage, type CliResult, isObject, parseMessage } from './messages.ts'
export { answerMcp } from './own-server.ts'
export { parseResult } from './parse-result.ts'
export {
  fitsWaiting,
  launchArguments,
  mcpLine,
  opening,
  promptLine,
  refusalLine,
  repairPrompt,
  verdictLine,
  WAITING_ARGUMENTS,
} from './say.ts'
