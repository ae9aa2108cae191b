import { afterAll, beforeAll, expect } from 'vitest'
import { type AdminKit, startAdminKit } from './admin-kit.ts'
import { type CliHereOptions, type CliRun, runCliHere } from './run-cli.ts'

/** For one file of tests: the commands about providers, run here against a daemon's admin API. */
export function useLlmCli() {
  let kit: AdminKit
  const oauth3 = (args: readonly string[], options: CliHereOptions = {}): Promise<CliRun> =>
    runCliHere(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath, ...options.env } })

  const json = async (args: readonly string[], options: CliHereOptions = {}) => {
    const run = await oauth3([...args, '--json'], options)
    expect(run).toMatchObject({ code: 0 })
    return JSON.parse(run.stdout)
  }

  const grantsOf = (provider: string) => kit.access.grants().filter((grant) => grant.provider === provider)

  beforeAll(async () => {
    kit = await startAdminKit()
  })

  afterAll(() => kit[Symbol.asyncDispose]())

  return {
    get kit() {
      return kit
    },
    json,
    oauth3,
    grantsOf,
  }
}
