import { getPriority } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import { compiledWorker } from '../../../test/support/compiled-worker.ts'
import type { PoolJobs } from '../../../test/support/pool-worker.ts'
import { createWorkPool, JobFailed, type WorkPool, type WorkPoolOptions } from './index.ts'

const source = new URL('../../../test/support/pool-worker.ts', import.meta.url)
const compiled = await compiledWorker(source)
const { file } = compiled
afterAll(() => compiled[Symbol.dispose]())

const poolOf = (own: Partial<WorkPoolOptions> = {}): WorkPool<PoolJobs> =>
  createWorkPool<PoolJobs>({
    file,
    threads: 1,
    givesWay: false,
    timeLimitMs: 30_000,
    limits: { maxOldGenerationSizeMb: 32 },
    waiting: { perOwner: 4, total: 6 },
    tooMuch: 'too much',
    ...own,
  })

/** A job that holds its thread until it is let go; resolves once a thread has taken it. */
async function hold(pool: WorkPool<PoolJobs>, owner: string): Promise<{ done: Promise<string>; go(): void }> {
  const gate = new SharedArrayBuffer(8)
  const cells = new Int32Array(gate)
  const done = pool.run(owner, 'hold', gate)
  const begun = Atomics.waitAsync(cells, 0, 0)
  if (begun.async) await begun.value
  return {
    done,
    go() {
      Atomics.store(cells, 1, 1)
      Atomics.notify(cells, 1)
    },
  }
}

describe('a pool of workers', () => {
  test('does jobs of each kind, and hands memory over instead of copying it', async () => {
    await using pool = poolOf()
    const bytes = Uint8Array.of(1, 2, 3)
    const moved = pool.run('a', 'reverse', bytes, { transfer: [bytes.buffer] })
    expect(await moved).toEqual(Uint8Array.of(3, 2, 1))
    expect(bytes.byteLength).toBe(0)
    expect(await pool.run('a', 'echo', 'text')).toBe('text')
    expect(pool.threads).toBe(1)
  })

  test('of sources, which threads would load WebAssembly for, are processes', async () => {
    await using threads = poolOf()
    await using processes = poolOf({ file: source })
    expect(await threads.run('a', 'pid', undefined)).toBe(process.pid)
    expect(await processes.run('a', 'pid', undefined)).not.toBe(process.pid)
  })

  test.skipIf(process.platform !== 'linux')(
    'leaves the processor to the event loop where it is told to, and only there',
    async () => {
      await using usual = poolOf()
      await using givingWay = poolOf({ givesWay: true })
      const mine = getPriority()
      expect(await usual.run('a', 'niceness', undefined)).toBe(mine)
      expect(await givingWay.run('a', 'niceness', undefined)).toBe(Math.max(mine, 5))
    },
  )

  test('serves those first who had least of its time, whoever came with much first', async () => {
    await using pool = poolOf()
    const first = await hold(pool, 'busy')
    const order: string[] = []
    const work = (owner: string) => pool.run(owner, 'echo', '').then(() => order.push(owner))
    const all = [work('busy'), work('busy'), work('busy'), work('other')]
    first.go()
    await Promise.all([...all, first.done])
    expect(order).toEqual(['other', 'busy', 'busy', 'busy'])
  })

  test('keeps a thread for others, whatever one owner does', async () => {
    await using pool = poolOf({ threads: 2 })
    const first = await hold(pool, 'busy')
    const second = pool.run('busy', 'echo', 'waits')
    expect(await pool.run('other', 'echo', 'served')).toBe('served')
    expect(await Promise.race([second, 'waits still'])).toBe('waits still')
    first.go()
    expect(await second).toBe('waits')
    await first.done
  })

  test('ends a job that never ends with its thread, alone, and serves the others', async () => {
    await using pool = poolOf({ timeLimitMs: 50 })
    const endless = pool.run('hostile', 'never', new SharedArrayBuffer(4))
    const others = ['a', 'b'].map((owner) => pool.run(owner, 'echo', owner))
    await expect(endless).rejects.toMatchObject({ name: 'JobFailed', why: 'time' })
    expect(await Promise.all(others)).toEqual(['a', 'b'])
  })

  test('ends a job that fills the memory, alone, and serves the others', async () => {
    await using pool = poolOf()
    const full = pool.run('hostile', 'fill', undefined)
    const other = pool.run('a', 'echo', 'a')
    await expect(full).rejects.toMatchObject({ name: 'JobFailed', why: 'limits' })
    expect(await other).toBe('a')
  })

  test('tells a job what it threw, and goes on', async () => {
    await using pool = poolOf()
    await expect(pool.run('a', 'fail', undefined)).rejects.toEqual(new JobFailed('thrown', 'not this one'))
    expect(await pool.run('a', 'echo', 'a')).toBe('a')
    expect(pool.threads).toBe(1)
  })

  test('refuses what is too much of one owner, or of all', async () => {
    await using pool = poolOf()
    const first = await hold(pool, 'a')
    const waiting = [
      ...['1', '2', '3', '4'].map((text) => pool.run('a', 'echo', text)),
      ...['5', '6'].map((text) => pool.run('b', 'echo', text)),
    ]
    await expect(pool.run('a', 'echo', '')).rejects.toMatchObject({ code: 'rate_limited' })
    await expect(pool.run('c', 'echo', '')).rejects.toMatchObject({ code: 'rate_limited' })
    first.go()
    expect((await Promise.all(waiting)).sort()).toEqual(['1', '2', '3', '4', '5', '6'])
    await first.done
  })

  test('forgets what is given up before its turn', async () => {
    await using pool = poolOf()
    const first = await hold(pool, 'a')
    const leaving = new AbortController()
    const left = pool.run('b', 'echo', 'b', { signal: leaving.signal })
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    await expect(pool.run('b', 'echo', 'b', { signal: leaving.signal })).rejects.toThrow('left')
    first.go()
    expect(await first.done).toBe('held')
    expect(await pool.run('b', 'echo', 'b')).toBe('b')
  })

  test('tells what waits and what is under way when it closes', async () => {
    const pool = poolOf()
    await hold(pool, 'a').then(({ done }) => {
      const waiting = pool.run('a', 'echo', '')
      void pool[Symbol.asyncDispose]()
      return Promise.all(
        [done, waiting].map((one) => expect(one).rejects.toMatchObject({ code: 'shutting_down' })),
      )
    })
    await expect(pool.run('a', 'echo', '')).rejects.toMatchObject({ code: 'shutting_down' })
    expect(pool.threads).toBe(0)
  })
})
