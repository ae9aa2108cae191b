export { createOutputCollector } from './output-collector.ts'
export { warmScrub } from './renderings.ts'
export { createScrubber, isCleanInTurns, type Scrubber, type ScrubStream } from './scrubber.ts'
export { inLaterTurn, loopTurn } from './turn.ts'
