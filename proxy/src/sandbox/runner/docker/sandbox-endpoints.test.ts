import Docker from 'dockerode'
import { describe, expect, it } from 'vitest'
import type { EgressEndpoints } from '../../../egress/index.ts'
import { createSandboxEndpoints } from './sandbox-endpoints.ts'

describe('an endpoint that the engine cannot mount', () => {
  // Asked nothing: this process is in no container of an engine that is not there.
  const docker = new Docker({ socketPath: '/nonexistent/docker.sock' })
  const endpoints: EgressEndpoints = {
    open: async () => ({ directory: '/demo/endpoints/1', bindSession: () => {}, close: async () => {} }),
  }

  it('is told to a person once the engine has said so, and no other failure is', async () => {
    const opener = createSandboxEndpoints(docker, endpoints)
    const opened = { endpoint: await endpoints.open(), enginePath: '/demo/endpoints/1' }
    opener.launched(opened, new Error('no space left on device'))
    expect(opener.notes).toEqual([])
    opener.launched(
      opened,
      new Error('invalid mount config for type "bind": bind source path does not exist: /demo/endpoints/1'),
    )
    expect(opener.notes.join()).toContain('not in a shared volume')
    expect(opener.notes.join()).toContain('OAUTH3_SOCKET_DIR')
    opener.launched(opened)
    expect(opener.notes).toEqual([])
  })

  it('is no matter where sandboxes have no way out, but then nothing can be imported', async () => {
    const opener = createSandboxEndpoints(docker, null)
    expect(await opener.open(null)).toEqual({ endpoint: null, enginePath: null })
    const runtime = { name: 'deno', image: 'sha256:demo' }
    const lock = { hash: 'x', files: [], bytes: 0, modules: [] }
    await expect(opener.open({ lock, runtime, contents: new Map() })).rejects.toThrow('need an endpoint')
  })
})
