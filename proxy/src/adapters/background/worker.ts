import { scanBody } from '../../domain/usage/index.ts'
import { Moved, serveJobs } from '../work-pool/serve.ts'

/** Jobs that are linear in their input, and end. */
const JOBS = {
  /** The body comes back with what was found in it. */
  'scan-body': (bytes: Uint8Array<ArrayBuffer>) => {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new Moved({ bytes, scan: scanBody(body) }, [bytes.buffer])
  },
}

export type BackgroundJobs = typeof JOBS

serveJobs(JOBS)
