import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { PoolJobs } from '../../../test/support/pool-worker.ts'
import { createWorkPool, type WorkPool, type WorkPoolOptions } from './index.ts'
import { startProcess } from './worker-process.ts'

const file = new URL('../../../test/support/pool-worker.ts', import.meta.url)

const poolOf = (own: Partial<WorkPoolOptions> = {}): WorkPool<PoolJobs> =>
  createWorkPool<PoolJobs>({
    file,
    threads: 1,
    givesWay: false,
    inProcesses: true,
    timeLimitMs: 60_000,
    limits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 },
    waiting: { perOwner: 4, total: 6 },
    tooMuch: 'too much',
    ...own,
  })

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a pool of processes', () => {
  test('does one job after the other in the same process, which is not this one', async () => {
    await using pool = poolOf()
    const first = await pool.run('a', 'pid', undefined)
    expect(first).not.toBe(process.pid)
    expect(await pool.run('b', 'pid', undefined)).toBe(first)
    expect(await pool.run('a', 'echo', 'text')).toBe('text')
    await expect(pool.run('a', 'fail', undefined)).rejects.toMatchObject({
      name: 'JobFailed',
      why: 'thrown',
      message: 'not this one',
    })
    expect(await pool.run('a', 'pid', undefined)).toBe(first)
  })

  test.each<NodeJS.Signals>(['SIGSEGV', 'SIGTRAP', 'SIGABRT', 'SIGKILL', 'SIGBUS'])(
    'that lose one to %s refuse its job alone, and the next is done by a new one',
    async (signal) => {
      await using pool = poolOf()
      const lost = await pool.run('a', 'pid', undefined)
      const hostile = pool.run('hostile', 'signal', signal)
      const other = pool.run('a', 'pid', undefined)
      await expect(hostile).rejects.toMatchObject({ name: 'JobFailed', why: 'limits' })
      expect(await other).not.toBe(lost)
      expect(isAlive(lost)).toBe(false)
    },
  )

  test('that lose one between two jobs do the next in a new one', async () => {
    await using pool = poolOf()
    const lost = await pool.run('a', 'pid', undefined)
    process.kill(lost, 'SIGKILL')
    await expect.poll(() => pool.threads).toBe(0)
    expect(await pool.run('a', 'pid', undefined)).not.toBe(lost)
  })

  test('end one that is past its time, whatever it does, and one that fills the memory', async () => {
    await using pool = poolOf()
    const lost = await pool.run('a', 'pid', undefined)
    await expect(pool.run('hostile', 'spin', undefined, { timeLimitMs: 50 })).rejects.toMatchObject({
      why: 'time',
    })
    await expect.poll(() => isAlive(lost)).toBe(false)
    await expect(pool.run('hostile', 'fill', undefined)).rejects.toMatchObject({ why: 'limits' })
    expect(await pool.run('a', 'echo', 'a')).toBe('a')
  })

  test('have nothing of the environment of this one but its compile cache, and leave no core behind', async () => {
    await using pool = poolOf()
    process.env.OAUTH3_TEST_PASSPHRASE = 'not for workers'
    try {
      const { names, cwd, limits } = await pool.run('a', 'environment', undefined)
      // What the shell sets, and the channel, which Node takes out once it is open; where what was compiled is, if this process has that.
      const own = ['PWD', 'OLDPWD', 'SHLVL', '_', 'NODE_COMPILE_CACHE']
      expect(names.filter((name) => !own.includes(name))).toEqual([])
      expect(cwd).toBe('/')
      expect(limits).toMatch(/Max core file size +0 /)
    } finally {
      delete process.env.OAUTH3_TEST_PASSPHRASE
    }
  })

  test('have what they are told of its surroundings, and no more', async () => {
    const surroundings = {
      ...{ cwd: process.cwd(), env: { PGSSLROOTCERT: './ca.pem' } },
      execArgv: ['--use-openssl-ca'],
    }
    await using pool = poolOf({ surroundings })
    const { names, cwd, options } = await pool.run('a', 'environment', undefined)
    expect(names).toContain('PGSSLROOTCERT')
    expect(names).not.toContain('HOME')
    expect(options).toContain('--use-openssl-ca')
    expect(cwd).toBe(process.cwd())
  })

  test.each(['/etc/hostname', '/nowhere/at/all'])('that cannot start in %s say so', async (cwd) => {
    await using pool = poolOf({ surroundings: { cwd, env: {} } })
    for (const owner of ['a', 'b'])
      await expect(pool.run(owner, 'pid', undefined)).rejects.toMatchObject({
        name: 'JobFailed',
        message: 'Its worker does not start.',
      })
    expect(pool.threads).toBe(0)
  })

  test('are gone when the pool is closed', async () => {
    const pool = poolOf()
    const pid = await pool.run('a', 'pid', undefined)
    const under = pool.run('a', 'spin', undefined)
    const told = expect(under).rejects.toMatchObject({ code: 'shutting_down' })
    await pool[Symbol.asyncDispose]()
    await told
    expect(isAlive(pid)).toBe(false)
  })

  test('are ended by the kernel when nobody is there to end them', async () => {
    const ended = Promise.withResolvers<void>()
    const worker = startProcess({
      file,
      start: { givesWay: true },
      limits: {},
      cpuSeconds: 1,
      onMessage: ({ state }) => {
        if (state === 'ready') worker.post({ kind: 'spin', input: undefined }, [])
      },
      onEnd: ended.resolve,
    })
    await ended.promise
    await worker.end()
  })

  test('end by themselves when whoever started them was killed', async () => {
    const pool = new URL('./index.ts', import.meta.url).href
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
      const { createWorkPool } = await import(${JSON.stringify(pool)})
      const own = createWorkPool({ file: new URL(${JSON.stringify(file.href)}), threads: 1, inProcesses: true,
        timeLimitMs: 60_000, limits: {}, waiting: { perOwner: 1, total: 1 }, givesWay: false, tooMuch: '' })
      setInterval(() => {}, 1_000)
      console.log(await own.run('a', 'pid', undefined))
    `,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(printed.toString())
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
  })
})
