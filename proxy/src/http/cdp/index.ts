export {
  assertNoneInAddress,
  CDP_PATHS,
  type CdpAnswers,
  type CdpUser,
  NO_SUCH_PATH,
} from './answers.ts'
export { type Cdp, createCdp } from './cdp.ts'
