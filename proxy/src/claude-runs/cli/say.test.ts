import { expect, it } from 'vitest'
import { fitsWaiting, launchArguments, opening, promptLine, verdictLine, WAITING_ARGUMENTS } from './say.ts'

const PLAN = {
  model: 'sonnet',
  system: null,
  appendSystem: null,
  tools: [],
  asksForHosts: false,
  maxTurns: null,
  maxOutputTokens: null,
  session: null,
  schema: null,
}
const SESSION = { transcript: (async function* () {})(), id: 'an-id', fork: false, keep: true }

it('a waiting process knows nothing of any run, and has no tool', () => {
  const text = WAITING_ARGUMENTS.join(' ')
  expect(text).toContain('--tools  --model')
  for (const word of ['--dangerously', '--allow', '--resume', '--mcp-config ', '--add-dir'])
    expect(text).not.toContain(word)
})

it.each([
  ['a prompt alone', PLAN, true],
  ['a new conversation', { ...PLAN, session: { ...SESSION, transcript: null, id: null } }, true],
  ['one to go on with', { ...PLAN, session: SESSION }, false],
  ['a tool', { ...PLAN, tools: ['Read'] }, false],
])('%s: the process that waits takes it, or another one does', (_what, plan, fits) => {
  expect(fitsWaiting(plan)).toBe(fits)
})

it('has every tool asked about', () => {
  const given = launchArguments({ ...PLAN, tools: ['Bash', 'WebFetch'] })
  const settings = JSON.parse(given[given.indexOf('--settings') + 1] ?? '{}')
  expect(settings.permissions.ask).toEqual(['Bash', 'WebFetch'])
  expect(given[given.indexOf('--tools') + 1]).toBe('Bash,WebFetch')
  expect(given).not.toContain('--bare')
})

it('gives commands a person’s time where they ask for hosts, and there alone', () => {
  const envOf = (asksForHosts: boolean) => {
    const given = launchArguments({ ...PLAN, tools: ['Bash'], asksForHosts })
    return Object.keys(JSON.parse(given[given.indexOf('--settings') + 1] ?? '{}').env)
  }
  expect(envOf(true)).toEqual(expect.arrayContaining(['BASH_DEFAULT_TIMEOUT_MS', 'BASH_MAX_TIMEOUT_MS']))
  expect(envOf(false).filter((name) => name.startsWith('BASH'))).toEqual([])
})

it('no word of the app is an argument', () => {
  const plan = {
    ...PLAN,
    tools: ['Bash'],
    system: 'SECRET-1',
    appendSystem: 'SECRET-2',
    schema: { const: 'SECRET-3' },
  }
  expect(launchArguments(plan).join(' ')).not.toContain('SECRET')
  expect(
    opening(plan)
      .map(({ line }) => line)
      .join(),
  ).toMatch(/SECRET-1.*SECRET-2.*SECRET-3/)
})

it('a prompt is one line, whatever is in it', () => {
  const line = promptLine('a\nb\u2028c\r"\\')
  expect(line).not.toContain('\n')
  expect(JSON.parse(line).message.content).toEqual([{ type: 'text', text: 'a\nb\u2028c\r"\\' }])
  expect(JSON.parse(promptLine('/help')).message.content[0].text).toBe('\n/help')
})

it('allows what was asked about unless another input is given', () => {
  const of = (verdict: Parameters<typeof verdictLine>[2]) =>
    JSON.parse(verdictLine('id', { command: 'asked' }, verdict)).response.response
  expect(of({ behavior: 'allow' })).toEqual({ behavior: 'allow', updatedInput: { command: 'asked' } })
  expect(of({ behavior: 'allow', updatedInput: { command: 'other' } }).updatedInput).toEqual({
    command: 'other',
  })
  expect(of({ behavior: 'deny', message: 'no' })).toEqual({ behavior: 'deny', message: 'no' })
})
