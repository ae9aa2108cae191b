export { createDialler, type Dialler, type DiallerOptions, DialRefused } from './dialler.ts'
export { createEgressDial, type EgressDialOptions } from './egress-dial.ts'
export { lookupForDaemon } from './lookup.ts'
export { TooManyLookups } from './resolve.ts'
