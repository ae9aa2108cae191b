import { expect, it } from 'vitest'
import type { ToolCall } from './ports.ts'
import { callHash, readInput, sameCall, shownInput } from './tool-input.ts'

const call = {
  ...{ id: 'call_1', appId: 'app_1', runId: 'run_1', promptSha256: 'a'.repeat(64) },
  ...{ tool: 'WebFetch', input: '{"url":"https://a.example"}', effect: { kind: 'host', host: 'a.example' } },
} as unknown as ToolCall

it('is one text for one value, whatever its order', () => {
  expect(readInput({ b: 1, a: { d: 2, c: 'ü' } })).toBe('{"a":{"c":"ü","d":2},"b":1}')
})

it.each([
  ['too long', { text: 'a'.repeat(1_048_576) }],
  ['just too long', { text: 'a'.repeat(32_768 - 10) }],
  ['too long in bytes', { text: 'ü'.repeat(20_000) }],
  ['a lone surrogate', { text: '\ud800' }],
  ['no number', { n: Number.NaN }],
])('is denied: %s', (_what, input) => {
  expect(readInput(input)).toMatchObject({ problem: expect.any(String) })
})

it('is denied as deep as no call is, without a walk that exhausts the stack', () => {
  let deep: unknown = 'x'
  for (let depth = 0; depth < 200_000; depth++) deep = [deep]
  expect(readInput({ deep })).toEqual({ problem: 'are nested more than 32 deep' })
})

it('takes what just fits', () => {
  expect(readInput({ text: 'a'.repeat(32_768 - 11) })).toHaveLength(32_768)
})

it('shows each string on its line, and all of it', () => {
  expect(shownInput('{"a":"x\\ny","b":[1]}')).toBe('{\n  "a": "x\\ny",\n  "b": [\n    1\n  ]\n}')
})

it.each([
  { id: 'call_2' },
  { appId: 'app_2' },
  { runId: 'run_2' },
  { promptSha256: 'b'.repeat(64) },
  { tool: 'WebSearch' },
  { input: '{"url":"https://a.example/"}' },
  { effect: { kind: 'host', host: 'b.example' } },
  { effect: { kind: 'vendor' } },
])('has another hash with %j', (change) => {
  expect(callHash({ ...call, ...(change as object) })).not.toBe(callHash(call))
})

it('is the same call whichever question it came by, and no other with other arguments', () => {
  expect(sameCall({ ...call, ...{ id: 'call_2' } })).toBe(sameCall(call))
  for (const change of [{ tool: 'Bash' }, { input: '{}' }, { effect: { kind: 'vendor' } as const }])
    expect(sameCall({ ...call, ...change })).not.toBe(sameCall(call))
})
