import { type BodyInspection, claimsOf } from '../../egress/index.ts'
import { serveJobs } from '../work-pool/serve.ts'

/** Jobs that make values out of what code sends, as JSON: V8 cannot end that at a limit of memory, but with its process. */
const JOBS = {
  /** What a large body that code sends may do, for the gateway. */
  'inspect-body': ({
    inspection,
    body,
  }: {
    readonly inspection: BodyInspection
    readonly body: Uint8Array
  }) => claimsOf(inspection, Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
}

export type ParsingJobs = typeof JOBS

serveJobs(JOBS)
