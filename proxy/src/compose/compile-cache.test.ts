import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { preload } from './daemon-preload.ts'

const MODULE = new URL('./compile-cache.ts', import.meta.url).href
let data: string

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'oauth3-cache-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** In a process of its own: a process has one compile cache. Resolves to what is said, and leaves what was compiled. */
function enable(folder = data): string | null {
  const code = `
    const { enableOwnCompileCache } = await import(${JSON.stringify(MODULE)})
    console.log(JSON.stringify(enableOwnCompileCache(${JSON.stringify(folder)})))
    await import('zod')`
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const options = { env, encoding: 'utf8', cwd: import.meta.dirname } as const
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code], options)) as
    | string
    | null
}

const cache = (): string => join(data, 'compile-cache')

it("keeps what was compiled in a folder that is the owner's alone", () => {
  expect(enable()).toBeNull()
  expect(statSync(cache()).mode & 0o777).toBe(0o700)
  expect(readdirSync(cache(), { recursive: true }).length).toBeGreaterThan(10)
})

it.each([
  [
    'a folder that others can write in',
    () => chmodSync(cache(), 0o777),
    /others can reach .+compile-cache; run: rm -r/,
  ],
  [
    'a folder that the group can write in',
    () => chmodSync(cache(), 0o770),
    /others can reach .+compile-cache; run: rm -r/,
  ],
  [
    'a folder that others can reach what is below it in, which Node makes as the umask says',
    () => chmodSync(cache(), 0o755),
    /others can reach .+compile-cache; run: rm -r/,
  ],
  [
    'a data folder that others can write in',
    () => chmodSync(data, 0o777),
    /others can write in .+; run: chmod/,
  ],
  [
    'a link to a folder elsewhere',
    () => {
      mkdirSync(join(data, 'elsewhere'), { mode: 0o700 })
      rmSync(cache(), { recursive: true })
      symlinkSync(join(data, 'elsewhere'), cache())
    },
    /is no folder/,
  ],
])('does not use %s: who writes there decides what runs', (_, change, problem) => {
  mkdirSync(cache(), { mode: 0o700 })
  change()
  expect(enable()).toMatch(problem)
  expect(readdirSync(cache())).toEqual([])
})

it('starts without it where it cannot be made', () => {
  expect(enable('/proc/nowhere')).toMatch(/cannot be made \(ENOENT\)/)
  expect(existsSync('/proc/nowhere')).toBe(false)
})

/** Stands for V8's collection, and for how busy the event loop was since it was last asked, 0 to 1. */
function standIns() {
  vi.useFakeTimers()
  const gc = vi.fn()
  vi.stubGlobal('gc', gc)
  const utilization = vi.spyOn(performance, 'eventLoopUtilization')
  const busy = (share: number): void =>
    void utilization.mockReturnValue({ idle: 1 - share, active: share, utilization: share })
  busy(0.02)
  return {
    gc,
    busy,
    [Symbol.dispose]() {
      utilization.mockRestore()
      vi.unstubAllGlobals()
      vi.useRealTimers()
    },
  }
}

it('what the start left behind is collected after it, and not by a daemon that is stopped before', () => {
  using stands = standIns()
  preload(false)[Symbol.dispose]()
  vi.advanceTimersByTime(600_000)
  expect(stands.gc).not.toHaveBeenCalled()
  stands.busy(0.9)
  using _preloading = preload(false)
  vi.advanceTimersByTime(60_000)
  expect(stands.gc).toHaveBeenCalledExactlyOnceWith({
    type: 'major',
    execution: 'async',
    flavor: 'last-resort',
  })
})

it('a daemon at rest is collected again and again, and none that works', () => {
  using stands = standIns()
  const preloading = preload(false)
  const timesIn = (minutes: number): number => {
    stands.gc.mockClear()
    vi.advanceTimersByTime(minutes * 60_000)
    return stands.gc.mock.calls.length
  }
  timesIn(1)
  expect(timesIn(9)).toBe(3)
  // As V8 usually does it, which holds the loop up for half as long.
  expect(stands.gc).toHaveBeenCalledWith({ type: 'major', execution: 'async' })
  stands.busy(0.06)
  expect(timesIn(60)).toBe(0)
  stands.busy(0.02)
  expect(timesIn(9)).toBe(3)
  preloading[Symbol.dispose]()
  expect(timesIn(9)).toBe(0)
})

describe('a checkout', () => {
  const root = new URL('../../../', import.meta.url)
  /** Runs a command of a copy of this checkout's sources, whose modules are links but for the cache. */
  const run = (folder: string): string => {
    const { NODE_COMPILE_CACHE: _, ...env } = process.env
    return execFileSync(process.execPath, [join(folder, 'proxy/src/main.ts'), '--version'], {
      ...{ env, encoding: 'utf8' },
    }).trim()
  }
  const copy = (): string => {
    cpSync(new URL('proxy/src', root), join(data, 'proxy/src'), { recursive: true })
    cpSync(new URL('proxy/package.json', root), join(data, 'proxy/package.json'))
    mkdirSync(join(data, 'node_modules'))
    for (const name of readdirSync(new URL('node_modules', root)))
      if (!name.startsWith('.'))
        symlinkSync(new URL(`node_modules/${name}`, root), join(data, 'node_modules', name))
    return data
  }

  it('keeps what its commands compiled with what npm installed, for its owner alone', () => {
    const folder = copy()
    const said = run(folder)
    const cache = join(folder, 'node_modules/.cache/oauth3/compile-cache')
    expect(statSync(cache).mode & 0o777).toBe(0o700)
    expect(readdirSync(cache, { recursive: true }).length).toBeGreaterThan(10)
    expect(run(folder)).toBe(said)
  })

  it.runIf(process.getuid?.() === 0)('leaves nothing in what is another user’s', () => {
    const folder = copy()
    chownSync(join(folder, 'node_modules'), 65_534, 65_534)
    run(folder)
    expect(existsSync(join(folder, 'node_modules/.cache'))).toBe(false)
  })

  it('works without one', () => {
    const folder = copy()
    mkdirSync(join(folder, 'node_modules/.cache/oauth3/compile-cache'), { recursive: true, mode: 0o755 })
    expect(run(folder)).toMatch(/^\d+\./)
    expect(readdirSync(join(folder, 'node_modules/.cache/oauth3/compile-cache'))).toEqual([])
  })
})
