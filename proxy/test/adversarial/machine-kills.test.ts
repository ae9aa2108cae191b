import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createAuditLog } from '../../src/audit/index.ts'
import type { Held, Machine } from '../../src/hosting/machines/index.ts'
import { DEFAULT_TENANT, systemClock } from '../../src/kernel/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { driverIn, openDatabase } from '../support/machine-child.ts'
import { machineQuota, openHost } from '../support/machine-kit.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'

const CHILD = fileURLToPath(new URL('../support/machine-child.ts', import.meta.url))
const docker = await dockerOrSkip()
const NEVER = new AbortController().signal

/** Of one life, in the order in which they come; the second start wakes, and is the restart of what slept. */
const STEPS: readonly (readonly [act: string, nth: number])[] = [
  ['list', 2],
  ['create', 1],
  ['start', 1],
  ['observe', 2],
  ['pause', 1],
  ['unpause', 1],
  ['stop', 1],
  ['start', 2],
  ['purge', 1],
]
const MOMENTS = { double: ['before', 'after'], docker: ['before', 'during', 'after'] } as const

async function killed(folder: string, kind: string, act: string, moment: string, nth: number): Promise<void> {
  const child = spawn(process.execPath, [CHILD, folder, kind, act, moment, String(nth)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const [, signal] = await once(child, 'exit')
  expect({ signal, said }).toEqual({ signal: 'SIGKILL', said: '' })
}

/** What the rows say is there, and nothing else; of each machine one at most. */
function leaks(held: readonly Held[], live: readonly Machine[]): readonly Held[] {
  return held.filter(
    ({ machine, generation }) =>
      !live.some((row) => row.id === machine && (generation === null || generation === row.generation)),
  )
}

describe.each(['double', 'docker'] as const)('a daemon that is killed, with %s', (kind) => {
  const steps = STEPS.flatMap(([act, nth]) => MOMENTS[kind].map((moment) => [moment, act, nth] as const))
  describe.skipIf(kind === 'docker' && !docker.available)('in any step', () => {
    it.each(steps)(
      '%s %s (%i) leaves what the next one brings to where it is wanted',
      async (moment, act, nth) => {
        const folder = mkdtempSync(join(tmpdir(), 'mk-'))
        const driver = driverIn(folder, kind)
        try {
          await killed(folder, kind, act, moment, nth)
          // As another daemon finds it, with the double's things read anew.
          const next = driverIn(folder, kind)
          const database = await openDatabase(folder)
          const storage = database.forTenant(DEFAULT_TENANT)
          const audit = createAuditLog({
            storage,
            clock: systemClock,
            auditKey: Buffer.alloc(32, 1),
            mayBegin: false,
          })
          const { host, machines } = await openHost({ storage, audit, quota: machineQuota(1) }, next, {
            stopGraceMs: 0,
          })
          try {
            const settled = async (): Promise<string[]> => {
              const rows = await machines.list()
              const phases = await Promise.all(
                rows.map(({ id, generation }) =>
                  next.observe({ tenant: DEFAULT_TENANT, machine: id, generation }, NEVER),
                ),
              )
              const left = leaks(await next.list(NEVER), rows)
              return [
                ...rows.map(({ desired, observed }, at) => `${desired}: ${observed}, ${phases[at]}`),
                ...left.map(({ machine, generation }) => `leaked ${machine} ${generation}`),
              ]
            }
            const RIGHT =
              /^(awake: running, running|paused: paused, paused|(paused|asleep): asleep, (stopped|created))$/
            await expect
              .poll(async () => (await settled()).filter((line) => !RIGHT.test(line)), {
                timeout: patience(10_000),
              })
              .toEqual([])
            for (const { id } of await machines.list()) {
              const call = await machines.ensureAwake(id, 'message', NEVER)
              call[Symbol.dispose]()
              await machines.ask(id, 'deleted', owner())
            }
            await expect.poll(() => next.list(NEVER)).toEqual([])
            expect((await audit.verify()).ok).toBe(true)
          } finally {
            await host[Symbol.asyncDispose]()
            await database[Symbol.asyncDispose]()
          }
        } finally {
          for (const one of await driver.list(NEVER)) await driver.purge(one, NEVER)
          rmSync(folder, { recursive: true, force: true })
        }
      },
      patience(90_000),
    )
  })
})
