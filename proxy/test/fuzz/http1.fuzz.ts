import fc from 'fast-check'
import { seeded } from '../support/seeded.ts'
import { inputOf } from './http1/inputs.ts'
import { cutDisagreement, disagreement, readByLlhttp, readByUs } from './http1/readings.ts'
import { holds } from './property.ts'

export const http1Properties = [
  holds(
    'what our reader of HTTP/1.1 takes llhttp takes as the same, however it is cut',
    fc.property(fc.constantFrom('request', 'response'), fc.integer(), (role, seed) => {
      const input = inputOf(role, seeded(seed))
      const ours = readByUs(input, [])
      const problem =
        disagreement(ours, readByLlhttp(input)) ?? cutDisagreement(ours, readByUs(input, input.cuts))
      if (problem !== undefined) throw new Error(`${problem}: ${JSON.stringify(input)}`)
    }),
  ),
]
