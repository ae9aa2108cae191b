import pino from 'pino'
import { expect, test } from 'vitest'
import { styleFor } from '../cli/index.ts'
import { renderBanner } from './daemon-banner.ts'
import { LOG_OPTIONS, readableLine } from './daemon-log.ts'

const lineOf = (log: (logger: pino.Logger) => void): string => {
  const written: string[] = []
  log(pino(LOG_OPTIONS, { write: (line: string) => void written.push(line) }))
  return readableLine(written.join(''))
}

test('a line of the log is told with its facts, and an error with its reason', () => {
  expect(lineOf((log) => log.info({ url: 'http://127.0.0.1:1', swept: 2 }, 'it is so'))).toMatch(
    /^\d\d:\d\d:\d\d info {2}it is so {2}url=http:\/\/127\.0\.0\.1:1 {2}swept=2$/,
  )
  const failed = lineOf((log) => log.error({ err: new Error('no room') }, 'it failed'))
  expect(failed).toMatch(/error it failed: no room\nError: no room\n {4}at /)
})

test('of an error nothing is told that a parser has hung to it, in its causes neither', () => {
  const written: string[] = []
  const log = pino(LOG_OPTIONS, { write: (line: string) => void written.push(line) })
  const parser = Object.assign(new Error('no HTTP'), {
    code: 'HPE_X',
    data: 'demo-value',
    rawPacket: 'demo-value',
  })
  log.warn({ err: new TypeError('failed', { cause: parser }) }, 'it failed')
  const { err } = JSON.parse(written.join(''))
  expect(err).toMatchObject({
    type: 'TypeError',
    message: 'failed',
    cause: { message: 'no HTTP', code: 'HPE_X' },
  })
  expect(written.join('')).not.toContain('demo-value')
})

test('what others chose the words of moves no terminal', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\u202e\nfake line'
  const line = lineOf((log) => log.warn({ skill: evil, deep: { name: evil }, err: new Error(evil) }, evil))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
})

const plain = styleFor({}, {})
const config = { telegram: null, dbPath: '/data/proxy.db', host: '127.0.0.1', otherSocket: null }
const started = {
  url: 'http://127.0.0.1:3737',
  console: 'http://localhost:3737/console/',
  sandbox: 'docker',
  agents: 0,
}

test('the banner says where agents go, who answers, and what comes next', () => {
  const banner = renderBanner('1.2.3', started, config, plain)
  expect(banner).toContain('oauth3 1.2.3 is ready')
  expect(banner).toContain('http://127.0.0.1:3737')
  expect(banner).toContain('oauth3 agent add NAME')
  expect(banner).toContain('Telegram is not set up')
  expect(banner).not.toContain('other machines')
  for (const line of banner.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})

test('the banner does not call ready what cannot run code, and warns where others reach it', () => {
  const banner = renderBanner(
    '1.2.3',
    { ...started, sandbox: 'unavailable', agents: 3 },
    { ...config, host: '0.0.0.0' },
    plain,
  )
  expect(banner).not.toContain('is ready')
  expect(banner).toContain('new requests are refused')
  expect(banner).toContain('reachable from other machines')
  expect(banner).not.toContain('agent add')
})
