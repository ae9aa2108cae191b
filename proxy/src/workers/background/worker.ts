import { type BodyQuestions, readBody } from '../../llm/usage/index.ts'
import { Moved, serveJobs } from '../work-pool/serve.ts'

/** Jobs that go through bytes without making values of them, and end. */
const JOBS = {
  /** The parts of a request's body, joined and read. */
  'read-body': ({
    parts,
    questions,
  }: {
    readonly parts: readonly Uint8Array[]
    readonly questions: BodyQuestions
  }) => {
    const body = joined(parts)
    return new Moved({ body, reading: readBody(body, questions) }, [body.buffer])
  },
}

/** Its memory is its own, so that it can be handed over. */
function joined(parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export type BackgroundJobs = typeof JOBS

serveJobs(JOBS)
