import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { SecretValue } from '../../kernel/index.ts'
import { scrubToken } from './bot-api.ts'
import { BotApiError, troubleOf } from './bot-errors.ts'
import { loadTelegraf } from './load-telegraf.ts'

describe('what Telegram says', () => {
  it.each([
    [400, 'Bad Request: message is not modified: specified new …', 'not_modified'],
    [400, 'Bad Request: message to edit not found', 'gone'],
    [400, 'Bad Request: query is too old and response timeout expired or query ID is invalid', 'stale_query'],
    [400, "Bad Request: can't parse entities: …", 'rejected'],
    [400, 'Bad Request: chat not found', 'no_chat'],
    [401, 'Unauthorized', 'wrong_token'],
    [403, 'Forbidden: bot was blocked by the user', 'no_chat'],
    [409, 'Conflict: terminated by other getUpdates request', 'conflict'],
    [429, 'Too Many Requests: retry after 3', 'flood'],
    [502, 'Bad Gateway', 'unreachable'],
    [0, 'ECONNREFUSED', 'unreachable'],
  ] as const)('%i %j means %s', (status, description, trouble) => {
    expect(troubleOf(new BotApiError('m', status, description))).toBe(trouble)
  })

  it('means the chat when a group became a supergroup', () => {
    expect(troubleOf(new BotApiError('m', 400, 'x', { migratedTo: '-1001' }))).toBe('no_chat')
  })
})

describe('scrubToken', () => {
  const token = new SecretValue('4242424242:demo-bot-token-for-tests')

  it.each([
    'request to https://api.telegram.org/bot4242424242:demo-bot-token-for-tests/getMe failed',
    'https://x/bot4242424242%3Ademo-bot-token-for-tests/getMe',
    'path /bot9999999999:another-token/x',
    'demo-bot-token-for-tests',
  ])('leaves no token in %j', (text) => {
    expect(scrubToken(text, token)).not.toMatch(/demo-bot-token|another-token/)
  })
})

it('comes of a client that brings no URL parser of its own', () => {
  const { Telegraf } = loadTelegraf()
  const loaded = Object.keys(createRequire(import.meta.url).cache).join()
  expect([typeof Telegraf, loaded.includes('/node-fetch/'), loaded.includes('/tr46/')]).toEqual([
    'function',
    true,
    false,
  ])
})
