import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createDomainKit, createScriptedSandbox } from '../../test/support/domain-kit.ts'
import { TTL, useExecutions } from '../../test/support/executions-kit.ts'
import { SandboxUnavailable } from '../sandbox/sandbox-port.ts'

const world = useExecutions()
const { withSandbox, submit, decide, final, put, orders, events, status, restart, clock } = world

/** From here on the daemon's units cannot be written, until `ROLLBACK`. */
async function holdDatabase(): Promise<void> {
  world.kit.db.pragma('busy_timeout = 0')
  for (;;) {
    try {
      return void world.kit.db.exec('BEGIN IMMEDIATE')
    } catch {
      await sleep(5)
    }
  }
}

describe('a run', () => {
  it.each([
    [{ exitCode: 3 }, 'nonzero_exit'],
    [{ end: 'timeout', exitCode: null }, 'timeout'],
    [{ end: 'memory_limit', exitCode: null }, 'memory_limit'],
    [{ end: 'output_limit', exitCode: null }, 'output_limit'],
    [{ end: 'sandbox_lost', exitCode: null }, 'sandbox_lost'],
    [{ end: 'cancelled', exitCode: null }, 'interrupted'],
  ] as const)('that ends as %j fails as %s and keeps its output', async (outcome, failure) => {
    await withSandbox((_order, print) => {
      print('stdout', 'out')
      print('stderr', 'err')
      return outcome
    })
    const asked = await submit()
    await decide(asked)
    expect(await final(asked)).toMatchObject({
      status: 'failed',
      failure,
      result: { stdout: 'out', stderr: 'err' },
    })
  })

  it('holds a placeholder, another for each run, unless raw was approved; the value is with the gateway', async () => {
    const value = 'sk-demo-value-0123456789'
    await put('A_KEY', value)
    await put('RAW_KEY', value)
    const request = { secrets: [{ name: 'A_KEY' }, { name: 'RAW_KEY', mode: 'raw' as const }] }
    for (const argsJson of ['{"run":1}', '{"run":2}']) {
      const asked = await submit({ ...request, network: ['a.com'], argsJson })
      await decide(asked)
      await final(asked)
    }
    const held = orders().map((order) => order.secrets.get('A_KEY')?.open())
    for (const text of held) expect(text).toMatch(/^sk-oauth3x[0-9a-f]{40}$/)
    expect(new Set(held).size).toBe(2)
    for (const [index, { secrets, egress }] of orders().entries()) {
      expect(secrets.get('RAW_KEY')?.open()).toBe(value)
      expect(egress?.policy.secrets.map(({ name, placeholder }) => [name, placeholder])).toEqual([
        ['A_KEY', held[index]],
      ])
      expect(egress?.policy.secrets[0]?.replacement.open()).toBe(value)
      expect(egress?.ended).toBe(true)
    }
  })

  it('tells with its result what it did on the network', async () => {
    const record = { method: 'GET', path: '/', requestBytes: 0, responseBytes: 0, secrets: [], rejected: [] }
    await withSandbox((order) => {
      order.egress?.record({ ...record, origin: 'https://a.com', status: 200, refused: null })
      for (const _time of [1, 2])
        order.egress?.record({
          ...record,
          origin: 'https://evil.com',
          status: null,
          refused: 'host_not_approved',
        })
      return {}
    })
    const asked = await submit({ network: ['a.com'] })
    await decide(asked)
    expect((await final(asked)).result?.network).toEqual({
      requests: 3,
      refused: [{ rule: 'host_not_approved', origin: 'https://evil.com', secrets: [], count: 2 }],
      moreRefused: 0,
    })
    expect((await events(asked)).filter((event) => event.startsWith('egress.'))).toEqual([
      'egress.request',
      'egress.refused',
      'egress.refused',
    ])
  })

  it('stores its output without the secret, in any usual form', async () => {
    const value = 'demo-value-0123456789'
    const forms = [
      value,
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('hex'),
      encodeURIComponent(value),
    ]
    await withSandbox((order, print) => {
      expect(order.secrets.get('A_KEY')?.open()).toBe(value)
      for (const form of forms) print('stdout', `got ${form}\n`)
      print('stdout', value.slice(0, 9))
      print('stdout', value.slice(9))
      print('stderr', `Error: ${value}`)
      return {}
    })
    await put('A_KEY', value)
    const asked = await submit({ secrets: [{ name: 'A_KEY', mode: 'raw' }] })
    await decide(asked)
    const done = await final(asked)
    expect(done.result?.stdout).toContain('[secret:A_KEY]')
    world.kit.db.pragma('wal_checkpoint(TRUNCATE)')
    const dump = JSON.stringify([
      world.kit.db.prepare('SELECT * FROM executions').all(),
      world.kit.db.prepare('SELECT * FROM audit_log').all(),
    ])
    for (const form of forms) expect(dump).not.toContain(form)
  })

  it('that breaks inside the daemon is interrupted, not repeated', async () => {
    await withSandbox(() => {
      throw new TypeError('a defect')
    })
    const asked = await submit()
    await decide(asked)
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'interrupted', result: null })
    expect(world.kit.defects).toHaveLength(1)
    expect(orders()).toHaveLength(1)
  })

  it('is put back while no sandbox takes it, and fails when that lasts too long', async () => {
    let tries = 0
    await withSandbox(() => {
      if (++tries < 2) throw new SandboxUnavailable('the engine is away')
      return {}
    })
    const asked = await submit()
    await decide(asked)
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(await events(asked)).toContain('execution.postponed')
    tries = Number.NEGATIVE_INFINITY
    const never = await submit({ argsJson: '{}' })
    await decide(never)
    await expect.poll(() => events(never)).toContain('execution.postponed')
    world.now += 60_001
    expect(await final(never)).toMatchObject({
      status: 'failed',
      failure: 'sandbox_unavailable',
      result: null,
    })
  })

  it('has its whole patience also when it was approved long ago', async () => {
    let tries = 0
    await withSandbox(() => {
      if (++tries < 2) throw new SandboxUnavailable('the engine is away')
      return {}
    })
    const asked = await submit({ secrets: [{ name: 'A_KEY' }] })
    await decide(asked)
    world.now += 30 * 60_000
    await put('A_KEY')
    expect(await final(asked)).toMatchObject({ status: 'success' })
  })

  it('keeps its outcome until the disk takes it, and is not repeated meanwhile', async () => {
    await withSandbox(async (_order, print) => {
      await holdDatabase()
      print('stdout', 'precious')
      return {}
    })
    const asked = await submit()
    await decide(asked)
    await expect.poll(() => world.kit.defects.length).toBeGreaterThan(0)
    expect(await status(asked)).toBe('running')
    world.kit.db.exec('ROLLBACK')
    expect(await final(asked)).toMatchObject({ status: 'success', result: { stdout: 'precious' } })
    expect(orders()).toHaveLength(1)
  })

  it('waits for the disk when its beginning cannot be written', async () => {
    const sandbox = createScriptedSandbox()
    let beforeRun = async (): Promise<void> => {}
    const lookAtSandbox = async () => {
      await beforeRun()
      return sandbox.status()
    }
    await restart({ sandbox: { ...sandbox, status: lookAtSandbox } })
    const asked = await submit()
    beforeRun = async () => {
      beforeRun = async () => {}
      await holdDatabase()
    }
    await decide(asked)
    await expect.poll(() => world.kit.defects.length).toBeGreaterThan(0)
    expect([await status(asked), orders().length]).toEqual(['approved', 0])
    world.kit.db.exec('ROLLBACK')
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(orders()).toHaveLength(1)
  })
})

describe('after a restart', () => {
  it('what ran is failed as interrupted, and what was approved runs', async () => {
    await withSandbox(() => new Promise(() => {}))
    const running = await submit()
    await decide(running)
    await expect.poll(() => status(running)).toBe('running')
    const stopped = world.kit
    stopped.db.close()
    world.kit = await createDomainKit({ dir: world.dir, clock })
    expect(
      await world.kit.storage.read((tx) => world.kit.executions.find(tx, running.requestId)),
    ).toMatchObject({
      status: 'failed',
      failure: 'interrupted',
    })
    expect(orders()).toHaveLength(0)
    expect((await world.kit.audit.verify()).ok).toBe(true)
  })

  it('no approval is lost and none is used twice', async () => {
    const approved = await submit()
    world.kit.runs.drain(0)
    await decide(approved)
    await sleep(10)
    expect(await status(approved)).toBe('approved')
    await restart()
    expect(await final(approved)).toMatchObject({ status: 'success' })
    await restart()
    await sleep(10)
    expect(orders()).toHaveLength(0)
  })
  it('what was approved longer ago than a request may wait does not begin any more', async () => {
    const approved = await submit()
    world.kit.runs.drain(0)
    world.now += TTL - 1
    await decide(approved)
    world.now += TTL
    await restart()
    expect(await final(approved)).toMatchObject({ status: 'failed', failure: 'trust_ended' })
    expect(orders()).toHaveLength(0)
  })

  it('what was approved a moment before, or by a grant that stands, begins', async () => {
    const first = await submit()
    await decide(first, 'forever')
    await final(first)
    world.kit.runs.drain(0)
    const trusted = await submit()
    const late = await submit({ argsJson: '{"n":2}' })
    world.now += TTL - 1
    await decide(late)
    world.now += 2
    await restart()
    expect([await final(trusted), await final(late)]).toMatchObject([
      { trusted: true, status: 'success' },
      { trusted: false, status: 'success' },
    ])
  })
})
