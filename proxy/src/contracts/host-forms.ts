/** What a hosted agent, and the model that it uses, may be called, and when it is paused. */
import { z } from 'zod'
import { parseSleepAfter } from '../kernel/index.ts'

export const hostName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'a name is 1–64 of A–Z a–z 0–9 . _ -, with a letter or a digit first',
  )
export const hostModel = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/,
    'a model is named by 1–128 of A–Z a–z 0–9 . _ : / -, with a letter or a digit first',
  )
/** `10m`, `1h`, `never`. */
export const sleepAfter = z.string().max(16).refine(isSpan, 'takes a span like 10m, 1h or never')

function isSpan(text: string): boolean {
  try {
    parseSleepAfter(text)
    return true
  } catch {
    return false
  }
}
