export {
  type AnswerFormat,
  answerFormat,
  declaredLimit,
  limitName,
  withAnswerLimit,
} from './answer-limits.ts'
export { scanBody, withModel } from './body-scan.ts'
export { inputBound } from './input-bound.ts'
export { boundsOf } from './model-bounds.ts'
export type * from './ports.ts'
export { createUsageReader } from './reader.ts'
export { scanSpending } from './spending-scan.ts'
export { withIncludeUsage } from './stream-options.ts'
export { createUsage } from './usage.ts'
