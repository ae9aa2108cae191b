import { expect } from 'vitest'
import { readJavaScript } from '../../src/executions/reading/javascript/index.ts'

/** `METHOD host path`, `?` for a part that is computed, with its source behind. */
export const requestsIn = (code: string): string[] => {
  const facts = readJavaScript(code)
  expect(facts.readable).toBe(true)
  return facts.requests.map((one) => {
    const host = one.host ?? `?${one.hostFrom}`
    const parts = [one.method ?? `?${one.methodFrom}`, host, one.path ?? `?${one.pathFrom}`]
    if (one.host !== null && one.hostFrom !== null) parts.push(`from:${one.hostFrom}`)
    if (one.websocket) parts.push('ws')
    if (one.graphql !== null) parts.push(one.graphql)
    return parts.join(' ')
  })
}
