export { type CollectedOutput, createOutputCollector, type OutputCollector } from './output-collector.ts'
export { createScrubber, type Scrubber, type ScrubStream } from './scrubber.ts'
export { type OutputName, type RunOutput, type ScrubbedOutput, scrubTogether } from './together.ts'
