import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/api-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'

const MIB = 1_048_576
let kit: DaemonKit
afterEach(() => kit[Symbol.asyncDispose]())

const bodyOf = (marker: string): object => ({ skill_id: 'disk', runtime: 'deno', code: `// ${marker}\n` })
const decide = async (id: string, decision: string): Promise<{ status: number }> => {
  const { body } = await kit.admin('GET', `/v1/requests/${id}`)
  return kit.admin('POST', `/v1/requests/${id}/decision`, { decision, consent_hash: body.consent_hash })
}
const disk = async (): Promise<string> => (await kit.admin('GET', '/v1/status')).body.disk
const told = (): number =>
  kit.telegram.messages.filter(({ text }) => text.includes('the disk is nearly full')).length

describe('a disk that is nearly full', () => {
  let free: number
  const start = async (): Promise<void> => {
    free = 1_000 * MIB
    kit = await createDaemonKit({
      sandbox: async () => createScriptedSandbox(),
      readFreeBytes: () => free,
      environment: { OAUTH3_MIN_FREE_BYTES: String(100 * MIB) },
    })
  }
  const becomes = async (bytes: number, state: string): Promise<void> => {
    free = bytes
    await until(async () => (await disk()) === state, patience(20_000))
  }

  it('takes no new request, and still lets the owner answer, and what was approved run', async () => {
    await start()
    const first = (await kit.post(bodyOf('first'))).body.request_id
    const second = (await kit.post(bodyOf('second'))).body.request_id
    const trusted = (await kit.post(bodyOf('trusted'))).body.request_id
    await decide(trusted, 'forever')
    await kit.get(`/execute/${trusted}?wait=10`)

    await becomes(50 * MIB, 'low')
    for (const path of ['/execute', '/execute?dry_run=1']) {
      const response = await fetch(kit.daemon.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf('new')),
      })
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60'])
      expect(await response.json()).toMatchObject({ error: { code: 'storage_unavailable' } })
    }
    expect((await kit.post(bodyOf('trusted'))).status).toBe(503)
    expect((await kit.get('/health')).body).toMatchObject({ status: 'degraded', disk: 'low' })

    expect((await decide(first, 'once')).status).toBe(200)
    expect((await kit.get(`/execute/${first}?wait=10`)).body).toMatchObject({
      status: 'success',
      stdout: 'hello\n',
    })
    expect((await decide(second, 'deny')).status).toBe(200)
    const [grant] = (await kit.admin('GET', '/v1/trust')).body.grants
    expect((await kit.admin('DELETE', `/v1/trust/${grant.id}`)).status).toBe(200)
    expect((await kit.admin('GET', '/v1/audit/verify')).body.ok).toBe(true)
  })

  it('is told to the owner once, and takes requests again when there is room', async () => {
    await start()
    await becomes(50 * MIB, 'low')
    await until(() => told() === 1, patience(10_000))
    // A little more is not yet enough: the two states do not alternate.
    free = 105 * MIB
    expect((await kit.admin('POST', '/v1/doctor')).body.checks).toContainEqual(
      expect.objectContaining({ name: 'disk', ok: false }),
    )
    await becomes(200 * MIB, 'ok')
    expect((await kit.post(bodyOf('again'))).status).toBe(202)
    expect(told()).toBe(1)
  })

  it('writes no row of the audit for each request that is refused', async () => {
    await start()
    await becomes(50 * MIB, 'low')
    const rows = async (): Promise<number> => (await kit.admin('GET', '/v1/audit/verify')).body.rows
    await kit.post(bodyOf('one'))
    const before = await rows()
    for (let i = 0; i < 30; i++) await kit.post(bodyOf(`many ${i}`))
    expect(await rows()).toBeLessThan(before + 5)
  })
})

const MOUNT = mkdtempSync(join(tmpdir(), 'oauth3-full-'))
const mayMount =
  process.getuid?.() === 0 &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', MOUNT]).status === 0
if (mayMount) spawnSync('umount', [MOUNT])

describe.runIf(mayMount)('a disk that others have filled to the last byte', () => {
  afterEach(async () => {
    await kit.daemon.stop()
    spawnSync('umount', ['-l', MOUNT])
    rmSync(MOUNT, { recursive: true, force: true })
  })

  /** Leaves no block free. */
  const fill = (): void => {
    const file = openSync(join(MOUNT, 'others'), 'a')
    for (const size of [MIB, 4_096]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 1))
      } catch {
        // Full, for pieces of this size.
      }
    }
    closeSync(file)
    expect(statfsSync(MOUNT).bavail).toBe(0)
  }

  it('refuses requests, and an approval and its run still come through', async () => {
    mkdirSync(MOUNT, { recursive: true })
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', MOUNT])
    kit = await createDaemonKit({
      sandbox: async () => createScriptedSandbox(),
      environment: { DB_PATH: join(MOUNT, 'data', 'proxy.db'), OAUTH3_MIN_FREE_BYTES: String(MIB) },
    })
    const asked = (await kit.post(bodyOf('asked'))).body.request_id
    fill()
    await until(async () => (await kit.post(bodyOf(`new ${Math.random()}`))).status === 503, patience(20_000))
    const answers = [(await decide(asked, 'once')).status, (await decide(asked, 'once')).status]
    // Where the write itself met the full disk first, the reserve was given up and the repeat comes through.
    expect(answers).toContain(200)
    expect((await kit.get(`/execute/${asked}?wait=20`)).body.status).toBe('success')
    expect((await kit.post(bodyOf('more'))).status).toBe(503)
    expect((await kit.admin('GET', '/v1/audit/verify')).body.ok).toBe(true)
    rmSync(join(MOUNT, 'others'))
    await until(async () => (await kit.post(bodyOf('room'))).status === 202, patience(20_000))
  })
})
