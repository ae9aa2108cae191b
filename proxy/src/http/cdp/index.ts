export { type Cdp, createCdp } from './cdp.ts'
