import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const CLIENT = fileURLToPath(new URL('./engine-client.ts', import.meta.url))

/** In a process of its own, which nobody else has loaded anything into. */
async function inNewProcess(code: string, env: Record<string, string> = {}): Promise<string> {
  const script = `
    import { createRequire } from 'node:module'
    const { createEngineClient } = await import(${JSON.stringify(CLIENT)})
    const loaded = (name) => Object.keys(createRequire(${JSON.stringify(CLIENT)}).cache).some((id) => id.includes('/node_modules/' + name + '/'))
    ${code}`
  const options = { env: { ...process.env, ...env }, timeout: 60_000 }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    options,
  )
  return stdout.trim()
}

it('loads neither gRPC nor SSH for an engine on this machine', async () => {
  const code = `createEngineClient(); console.log(['dockerode', 'ssh2', '@grpc/grpc-js', 'protobufjs'].map(loaded).join())`
  expect(await inNewProcess(code)).toBe('true,false,false,false')
})

it('goes to an engine behind SSH all the same', async () => {
  const code = `
    const client = createEngineClient()
    const before = loaded('ssh2')
    const asked = await client.ping().then(() => 'answered', (error) => error.code)
    console.log([before, asked, loaded('ssh2'), loaded('@grpc/grpc-js')].join())
    process.exit()`
  const answer = await inNewProcess(code, { DOCKER_HOST: 'ssh://nobody@127.0.0.1:1' })
  expect(answer).toBe('false,ECONNREFUSED,true,false')
})
