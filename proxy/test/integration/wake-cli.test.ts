import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createOpenclawCliChannel } from '../../src/notify/wake-channels/index.ts'
import { until } from '../support/api-kit.ts'
import { writeOpenclawCli } from '../support/openclaw-double.ts'
import { patience } from '../support/pace.ts'
import { createWakeWorld } from '../support/wake-setup.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-cli-'))
})
afterEach(() => {
  if (lives()) process.kill(hanging(), 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** The process id that the hanging command's child noted; 0 before. */
const hanging = (): number => {
  const path = join(folder, 'child')
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
}
/** A killed process that nobody has reaped yet lives no more. */
const lives = (): boolean => {
  if (hanging() === 0) return false
  try {
    return !/\) Z /.test(readFileSync(`/proc/${hanging()}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const calls = (): { args: string[]; env: string[] }[] => {
  const path = join(folder, 'calls.jsonl')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const channel = createOpenclawCliChannel
const deliver = (
  cli: string,
  options: {
    text?: string
    sessionKey?: string | null
    by?: ReturnType<typeof channel>
    signal?: AbortSignal
  } = {},
) => {
  const sessionKey = options.sessionKey ?? null
  return (options.by ?? channel()).deliver(
    { kind: 'openclaw-cli', target: cli, sessionKey, sealedToken: null },
    null,
    { text: options.text ?? 'OAuth3: text', requests: [], sessionKey },
    options.signal ?? new AbortController().signal,
  )
}

test("wakes through today's command, the session key included", async () => {
  const cli = writeOpenclawCli(folder, 'today')
  expect(await deliver(cli, { sessionKey: 'agent:main:work' })).toEqual({
    delivered: true,
    message: 'system event: ok',
  })
  expect(calls().map((call) => call.args)).toEqual([
    ['system', 'event', '--text', 'OAuth3: text', '--mode', 'now', '--session-key', 'agent:main:work'],
  ])
})

test('falls back to the older command, remembers it, and says that it cannot choose a session', async () => {
  const cli = writeOpenclawCli(folder, 'older')
  const by = channel()
  expect(await deliver(cli, { by })).toEqual({ delivered: true, message: 'cron wake: ok' })
  expect(await deliver(cli, { by, sessionKey: 'agent:main:work' })).toEqual({
    delivered: true,
    message: 'cron wake: ok (this release cannot choose the session)',
  })
  expect(calls().map((call) => call.args.slice(0, 2).join(' '))).toEqual([
    'system event',
    'cron wake',
    'cron wake',
  ])
})

test("goes back to today's command when the release was replaced by a newer one", async () => {
  const cli = writeOpenclawCli(folder, 'older')
  const by = channel()
  await deliver(cli, { by })
  writeOpenclawCli(folder, 'today')
  expect(await deliver(cli, { by })).toEqual({ delivered: true, message: 'system event: ok' })
})

test('hands the text over as one argument, whatever a shell would make of it', async () => {
  const cli = writeOpenclawCli(folder, 'today')
  const text = `$(touch ${folder}/made) ; "x" 'y' \`id\` | cat`
  expect(await deliver(cli, { text })).toMatchObject({ delivered: true })
  expect(calls()[0]?.args[3]).toBe(text)
  expect(existsSync(join(folder, 'made'))).toBe(false)
})

test("keeps the daemon's environment to itself but for what finds the command and its configuration", async () => {
  vi.stubEnv('OPENCLAW_HOOK_TOKEN', 'demo-value-hook')
  vi.stubEnv('TELEGRAM_BOT_TOKEN', 'demo-value-bot')
  try {
    await deliver(writeOpenclawCli(folder, 'today'))
  } finally {
    vi.unstubAllEnvs()
  }
  expect(calls()[0]?.env).toEqual(expect.arrayContaining(['PATH', 'HOME']))
  expect(calls()[0]?.env.filter((name) => /TOKEN|OAUTH3|TELEGRAM/.test(name))).toEqual([])
})

test.each([
  ['neither', { permanent: true, message: expect.stringContaining('knows neither') }],
  ['down', { message: 'system event: exit 1: gateway connect failed: connect ECONNREFUSED 127.0.0.1:18789' }],
] as const)('says what is wrong with a command that is %s', async (flavour, expected) => {
  expect(await deliver(writeOpenclawCli(folder, flavour))).toEqual({ delivered: false, ...expected })
})

test('says that a command is not there, and refuses a session key that would be read as an option', async () => {
  expect(await deliver(join(folder, 'nothing'))).toMatchObject({
    delivered: false,
    permanent: true,
    message: expect.stringContaining('ENOENT'),
  })
  expect(await deliver(writeOpenclawCli(folder, 'today'), { sessionKey: '--token=x' })).toMatchObject({
    delivered: false,
    permanent: true,
  })
  expect(calls()).toEqual([])
})

test(
  'ends a command that hangs, with what it started, at its limit and when the daemon stops',
  async () => {
    const cli = writeOpenclawCli(folder, 'hangs')
    const stop = new AbortController()
    const stopped = deliver(cli, { signal: stop.signal })
    await until(lives, patience(20_000))
    stop.abort()
    expect(await stopped).toMatchObject({ delivered: false })
    await until(() => !lives(), patience(20_000))

    rmSync(join(folder, 'child'))
    const limited = deliver(cli, { by: channel({ timeoutMs: 2_000 }) })
    expect(await limited).toMatchObject({ delivered: false, message: expect.stringContaining('time limit') })
    await until(() => !lives(), patience(20_000))
  },
  patience(60_000),
)

test('an outcome reaches the command through the pump, with its id and its state', async () => {
  const target = {
    kind: 'openclaw-cli',
    target: writeOpenclawCli(folder, 'older'),
    sessionKey: null,
    sealedToken: null,
  } as const
  await using world = await createWakeWorld({ target, token: null })
  const id = await world.ends(await world.agent('a'), 'denied')
  await world.pass(300)
  expect(calls().at(-1)?.args).toEqual([
    'cron',
    'wake',
    '--text',
    expect.stringContaining(`${id} `),
    '--mode',
    'now',
  ])
  expect(world.rows()).toMatchObject([{ request_id: id, delivered: 1 }])
})
