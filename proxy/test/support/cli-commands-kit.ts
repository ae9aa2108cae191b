import { afterAll, beforeAll, expect } from 'vitest'
import { type AdminKit, startAdminKit } from './admin-kit.ts'
import { type CliRun, type CliRunOptions, runCliHere, runCliProcess } from './run-cli.ts'

export const json = (run: CliRun) => {
  expect(run).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(run.stdout)
}

/** For one file of tests: the owner's commands, run against a daemon's admin API. */
export function useCli() {
  let kit: AdminKit
  /** A process takes many times as long as most commands. */
  const oauth3 = (
    args: readonly string[],
    options: Pick<CliRunOptions, 'stdin' | 'env'> = {},
  ): Promise<CliRun> =>
    runCliHere(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath, ...options.env } })
  /** For what only a process of its own shows. */
  const asProcess = (args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> =>
    runCliProcess(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath, ...options.env } })

  beforeAll(async () => {
    kit = await startAdminKit({
      stdout: 'plain \u001b[31mred\u001b[0m \u202edone\n',
      doctorChecks: [
        { name: 'sandbox', run: async () => ({ ok: true, said: 'engine answers' }) },
        { name: 'wall', run: async () => ({ ok: true, warning: true, said: 'could be stronger' }) },
        { name: 'wake', run: async () => ({ ok: false, said: 'hook answered 401' }) },
        { name: 'broken', run: () => Promise.reject(new Error('threw by itself')) },
      ],
    })
  })

  afterAll(() => kit[Symbol.asyncDispose]())

  return {
    get kit() {
      return kit
    },
    oauth3,
    asProcess,
  }
}
