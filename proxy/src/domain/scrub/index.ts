export { createOutputCollector } from './output-collector.ts'
export { createScrubber, type Scrubber } from './scrubber.ts'
