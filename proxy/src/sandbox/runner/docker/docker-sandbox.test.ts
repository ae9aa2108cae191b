import type Docker from 'dockerode'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DockerSandbox } from './docker-sandbox.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** An engine with all images, which counts how often it is asked for one. */
function engine() {
  const calls = { inspections: 0 }
  const inspect = async () => {
    calls.inspections += 1
    return { Id: 'sha256:1' }
  }
  const docker = { getImage: () => ({ inspect }), info: async () => ({}), version: async () => ({}) }
  return { docker: docker as unknown as Docker, calls }
}

it('renews an older view once for all who asked, after what they begin with it', async () => {
  const { docker, calls } = engine()
  await using sandbox = new DockerSandbox({ docker, instanceId: 'view', poolSize: 0, endpoints: null })
  await sandbox.status()
  const { inspections } = calls
  vi.advanceTimersByTime(3_000)
  for (let n = 0; n < 3; n += 1) expect((await sandbox.status(60_000)).kind).toBe('docker')
  expect(calls.inspections).toBe(inspections)
  await vi.advanceTimersByTimeAsync(250)
  expect(calls.inspections).toBe(2 * inspections)
})
