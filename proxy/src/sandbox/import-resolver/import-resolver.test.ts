import { describe, expect, it } from 'vitest'
import type { EgressSession } from '../../egress/index.ts'
import type { AgentId } from '../../kernel/index.ts'
import { createImportEngine, type ImportResolverOptions } from './import-resolver.ts'

const nothing = () => {
  throw new Error('nothing is to be opened')
}
const refused: unknown[] = []
const session = {
  record: (entry: { origin: string; refused: string }) => refused.push([entry.refused, entry.origin]),
  end: () => ({ requests: 0, refused: [], moreRefused: 0 }),
  written: async () => {},
}
const resolverOf = (options: Partial<ImportResolverOptions> = {}) =>
  createImportEngine({
    kind: 'docker',
    instanceId: 'demo',
    endpoints: { open: nothing },
    hosts: ['esm.sh'],
    log: () => {},
    ...options,
  }).resolverFor({
    begin(_id, _policy, of) {
      refused.push(of)
      return session as unknown as EgressSession
    },
  })
const CODE = '\nimport x from "https://esm.sh/x"\nconsole.log(x)\n'
const resolve = (code: string, name: string, options?: Partial<ImportResolverOptions>) =>
  resolverOf(options).resolve(
    code,
    { name, image: 'sha256:demo' },
    new AbortController().signal,
    'agt_demo' as AgentId,
  )

describe('what is answered without a container', () => {
  it('code without imports from elsewhere, and runtimes that lock none', async () => {
    expect(await resolve('console.log("https://esm.sh/x")', 'deno')).toBeNull()
    expect(await resolve(CODE, 'node')).toBeNull()
    expect(await resolve(CODE, 'unheard-of')).toBeNull()
  })

  it.each<[string, Partial<ImportResolverOptions>, string]>([
    ['the embedded sandbox', { kind: 'embedded' }, 'the embedded sandbox cannot lock imports; use docker'],
    ['a daemon without import hosts', { hosts: [] }, 'lets nothing be imported'],
  ])('%s refuses with the line', async (_what, options, said) => {
    await expect(resolve(CODE, 'deno', options)).rejects.toMatchObject({
      code: 'import_refused',
      message: expect.stringContaining(said),
      details: { line: 2, specifier: 'https://esm.sh/x' },
    })
    expect(refused.splice(0)).toEqual([
      { actor: 'agent:agt_demo', for: 'imports' },
      ['host_not_approved', 'https://esm.sh'],
    ])
  })

  it('a failure of the sandbox is no fault of the code, and may be tried again', async () => {
    await expect(resolve(CODE, 'deno')).rejects.toMatchObject({
      code: 'sandbox_unavailable',
      retryAfterSeconds: 15,
    })
  })
})
