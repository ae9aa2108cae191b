import { describe, expect, it } from 'vitest'
import { decideTool } from './tool-policy.ts'

const fetchOf = (url: unknown) => decideTool('WebFetch', { url, prompt: 'p' }, ['WebFetch'])

describe('what becomes of a call of a tool', () => {
  it.each(['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep', 'Task'])('%s stays inside the walls', (tool) => {
    expect(decideTool(tool, {}, [tool])).toEqual({ decision: 'allow' })
  })

  it.each([
    ['WebSearch', { kind: 'vendor' }],
    ['mcp__mail__send', { kind: 'mcp', server: 'mail' }],
    ['mcp__a_b__c__d', { kind: 'mcp', server: 'a_b' }],
    ['Newfangled', { kind: 'unknown' }],
    ['bash', { kind: 'unknown' }],
    ['constructor', { kind: 'unknown' }],
    ['__proto__', { kind: 'unknown' }],
    ['mcp__', { kind: 'unknown' }],
  ])('%s asks', (tool, effect) => {
    expect(decideTool(tool, {}, [tool])).toEqual({ decision: 'ask', effect })
  })

  it.each(['AskUserQuestion', 'EnterPlanMode', 'ExitPlanMode'])('%s is for persons at a keyboard', (tool) => {
    expect(decideTool(tool, {}, [tool])).toMatchObject({ decision: 'deny' })
  })

  it.each(['Bash', 'WebFetch', 'Newfangled', 'mcp__mail__send'])('%s is denied without the token', (tool) => {
    const others = [tool.toLowerCase().toUpperCase(), `${tool} `, '*', 'mcp__mail__*', '']
    expect(decideTool(tool, { url: 'https://a.example' }, others)).toMatchObject({ decision: 'deny' })
  })

  it('Agent is Task, as the CLI asks about it, and no other tool', () => {
    expect(decideTool('Agent', {}, ['Task'])).toEqual({ decision: 'allow' })
    expect(decideTool('Task', {}, ['Agent'])).toEqual({ decision: 'allow' })
    expect(decideTool('Agent', {}, ['Bash'])).toMatchObject({ decision: 'deny' })
  })

  it.each([
    ['https://docs.example.com/a?b=c#d', 'docs.example.com'],
    ['https://DOCS.Example.COM:443/', 'docs.example.com'],
    ['https://docs.example.com:8443/', 'docs.example.com:8443'],
    ['https://bücher.example/', 'xn--bcher-kva.example'],
    [' https://docs.example.com\n', 'docs.example.com'],
    ['https:\\\\docs.example.com\\@evil.example', 'docs.example.com'],
  ])('WebFetch of %j opens %s', (url, host) => {
    expect(fetchOf(url)).toEqual({ decision: 'ask', effect: { kind: 'host', host } })
  })

  it.each([
    'http://docs.example.com/',
    'docs.example.com',
    'file:///etc/passwd',
    'https://user@docs.example.com/',
    'https://docs.example.com:secret@evil.example/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[fd00::1]/',
    'https://localhost/',
    'https://a.localhost/',
    'https://router/',
    'https://*.example.com/',
    'https://docs.example.com./',
    '',
    null,
    7,
    ['https://docs.example.com'],
  ])('WebFetch of %j is denied', (url) => {
    expect(fetchOf(url)).toMatchObject({ decision: 'deny' })
  })
})
