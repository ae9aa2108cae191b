import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { CardView } from '../contracts/admin/index.ts'
import { approvalQuestion, decisionText, openQuestion } from './question.ts'
import { createTerminal } from './terminal.ts'
import { columnsOf } from './text-layout.ts'

const card = (names: readonly string[], network: string, skillId = 'demo/x'): CardView => ({
  requestId: 'req_1',
  skillId,
  description: '',
  agent: 'clawd',
  changes: [],
  warnings: [],
  secrets: names.map((name) => ({ name, raw: false, goes: network, how: '', missing: false })),
  sends: 'nothing',
  network,
  imports: null,
  runtime: 'deno',
  limits: '10 s',
  args: null,
  source: null,
  provenance: null,
  codeHash: 'f'.repeat(64),
  code: { text: '', lines: 1, bytes: 0, kept: true },
  expiresAt: 0,
  cut: false,
  full: '',
  choices: [],
})

const ONCE = { holds: 'once', scope: null } as const
const ANY_ARGS = { holds: 'forever', scope: 'any_args' } as const

test('the question names what a yes gives', () => {
  const two = card(['KEY_A', 'KEY_B'], 'api.example.com')
  expect(approvalQuestion(card(['DEMO_API_KEY'], 'none'), ONCE)).toBe(
    'Run once with DEMO_API_KEY, no network?',
  )
  expect(approvalQuestion(two, { holds: '24h', scope: null })).toBe(
    'Trust demo/x 24 hours with KEY_A, KEY_B → api.example.com?',
  )
  expect(approvalQuestion(two, ANY_ARGS).replace('\n', ' ')).toBe(
    'Trust demo/x forever with KEY_A, KEY_B → api.example.com, any args?',
  )
  const raw = { ...two, secrets: two.secrets.map((secret, index) => ({ ...secret, raw: index === 1 })) }
  expect(approvalQuestion(raw, ONCE)).toBe('Run once with KEY_A, the value of KEY_B → api.example.com?')
  expect(openQuestion(card([], 'none'))).toBe('Run demo/x with no secret, no network?')
})

test('it says how many secrets and hosts do not fit, and keeps to two lines', () => {
  const names = Array.from({ length: 20 }, (_none, index) => `SECRET_NUMBER_${index}`)
  const hosts = `${Array.from({ length: 7 }, (_none, index) => `host-${index}.example.com`).join(', ')}, host-…`
  const question = approvalQuestion(card(names, hosts, 's'.repeat(128)), ANY_ARGS)
  expect(question.replaceAll('\n', ' ')).toContain('SECRET_NUMBER_0 and 19 more →')
  expect(question.replaceAll('\n', ' ')).toContain('host-0.example.com and more, any args?')
  expect(question.split('\n').length).toBeLessThanOrEqual(2)
  for (const line of question.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(72)
})

test('a skill id cannot pass for a part of the question', () => {
  const asked = openQuestion(card(['KEY_A'], 'none', 'x, no key?\n\u001b[2J'))
  expect(asked.replaceAll('\n', ' ')).toBe('Run “x, no key?⏎⟨U+001B⟩[2J” with KEY_A, no network?')
})

test('a decision has one word, and an unknown one stays as it is', () => {
  expect(['once', 'trust24h', 'forever', 'trust24h_any', 'toString'].map(decisionText)).toEqual([
    'once',
    '24h',
    'forever',
    '24h, any args',
    'toString',
  ])
})

test.each([
  ['y\n', true],
  [' YES \n', true],
  ['yess\n', false],
  ['\n', false],
  // ^D, or a terminal that was closed: nobody types any more, or not to the end of the line.
  ['', false],
  ['y', false],
])('%j answers a question that is to be confirmed with %s', async (typed, isYes) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const { confirm } = createTerminal({ stdin, stdout, stderr, env: {}, cwd: '/' })
  stdin.end(typed)
  expect(await confirm('Remove it?')).toBe(isYes)
})
