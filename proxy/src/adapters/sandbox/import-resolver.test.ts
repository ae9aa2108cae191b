import { describe, expect, it } from 'vitest'
import { createImportResolver, type ImportResolverOptions } from './import-resolver.ts'

const nothing = () => {
  throw new Error('nothing is to be opened')
}
const resolverOf = (options: Partial<ImportResolverOptions> = {}) =>
  createImportResolver({
    kind: 'docker',
    instanceId: 'demo',
    doors: { open: nothing },
    egress: { begin: nothing },
    hosts: ['esm.sh'],
    log: () => {},
    ...options,
  })
const CODE = '\nimport x from "https://esm.sh/x"\nconsole.log(x)\n'
const resolve = (code: string, name: string, options?: Partial<ImportResolverOptions>) =>
  resolverOf(options).resolve(code, { name, image: 'sha256:demo' }, new AbortController().signal)

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
  })

  it('a failure of the sandbox is no fault of the code, and may be tried again', async () => {
    const egress = { begin: () => ({ end: () => ({ requests: 0, refused: [], moreRefused: 0 }) }) }
    await expect(
      resolve(CODE, 'deno', { egress: egress as unknown as ImportResolverOptions['egress'] }),
    ).rejects.toMatchObject({ code: 'sandbox_unavailable', retryAfterSeconds: 15 })
  })
})
