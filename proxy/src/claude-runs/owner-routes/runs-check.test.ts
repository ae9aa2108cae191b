import { expect, it } from 'vitest'
import type { App } from '../apps/index.ts'
import { claudeRunsCheck } from './runs-check.ts'

const READY = { version: '2.1.332', available: true, notes: [], warm: 2, running: 0 }
const MISSING = { ...READY, version: null, available: false, notes: ['The image is not built'], warm: 0 }
const app = (name: string, provider: string, revokedAt: number | null = null) =>
  ({ name, provider, revokedAt, usesSeat: false }) as App
const check = (status: typeof READY | typeof MISSING | null, apps: readonly App[] = []) =>
  claudeRunsCheck({
    runner: status && { status: async () => status },
    apps: { list: () => apps },
    appsUrl: () => (status === null ? null : 'http://127.0.0.1:8800'),
    hasKey: (provider, isSeat) => provider === 'anthropic' && !isSeat,
  }).run(new AbortController().signal)

it('says that runs are off, and how they are turned on', async () => {
  expect(await check(null)).toEqual({ ok: true, said: 'off; CLAWDFORGE_PORT turns them on' })
})

it('says where apps call, which CLI answers, and who is without a key', async () => {
  const apps = [app('a', 'anthropic'), app('b', 'bedrock'), app('c', 'bedrock'), app('d', 'xai', 1)]
  expect(await check(READY, apps)).toEqual({
    ok: true,
    warning: true,
    said: 'http://127.0.0.1:8800; Claude Code 2.1.332, 2 warm; 3 app(s); no key for bedrock, which b and c may use: oauth3 key add bedrock',
  })
})

it('says who is without a seat, apart from who is without a key', async () => {
  const seated = { ...app('s', 'anthropic'), usesSeat: true }
  expect((await check(READY, [app('a', 'anthropic'), seated])).said).toContain(
    '2 app(s); no seat for anthropic, which s may use: oauth3 key add anthropic --seat',
  )
})

it('fails without the image, and says why', async () => {
  expect(await check(MISSING)).toEqual({
    ok: false,
    warning: false,
    said: 'http://127.0.0.1:8800; no Claude Code; 0 app(s); The image is not built',
  })
})
