import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from './llm-kit.ts'

export const CHAT = '/llm/openai/v1/chat/completions'
export const BODY = JSON.stringify(chatBody())

export const status = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)
export const withBody = (...lines: string[]): string =>
  [...lines, 'Content-Type: application/json', `Content-Length: ${BODY.length}`, '', BODY].join('\r\n')

/** For one file of tests: the daemon with vendors, and requests to it as bytes. */
export function useSmuggling() {
  let kit: LlmKit
  let host: string
  beforeAll(async () => {
    kit = await createLlmKit()
    await kit.open('openai')
    await kit.open('google')
    host = new URL(kit.url).host
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())
  afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))
  const calls = (): number => kit.vendors.calls.length
  const auth = (): string => `Authorization: Bearer ${kit.token}`

  return {
    get kit() {
      return kit
    },
    get host() {
      return host
    },
    calls,
    auth,
  }
}
