export {
  isRunOver,
  RUN_ENDING_CODES,
  RUN_ENDINGS,
  RUN_STATES,
  type RunEnding,
  type RunState,
} from './codes.ts'
