import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyOf } from '../../src/contracts/registry/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { type CliHereOptions, runCliHere } from '../support/run-cli.ts'

/** From two keys to a request that names a skill, with nothing but the commands. */
const CODE = 'console.log("report")\n'
let kit: AdminKit
let folder: string
const keys = { publisher: generateKeyPairSync('ed25519'), registry: generateKeyPairSync('ed25519') }
const registryKey = keyOf(keys.registry.publicKey)

const oauth3 = (args: readonly string[], options: CliHereOptions = {}) =>
  runCliHere(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath } })
const done = async (args: readonly string[], options: CliHereOptions = {}): Promise<string> => {
  const run = await oauth3(args, options)
  expect(run, run.stderr).toMatchObject({ code: 0 })
  return run.stdout
}
const path = (name: string): string => join(folder, name)
const signed = (version: string): Promise<string> =>
  done([
    ...['skill', 'sign', path('skills/report.js'), '--key', path('publisher.pem')],
    ...[
      '--as',
      `report@${version}`,
      '--url',
      'skills/report.js',
      '--description',
      'Counts the charges of a day.',
    ],
    ...['--network', 'api.stripe.com', '--secrets', 'STRIPE_KEY'],
  ])
async function writeIndex(sequence: number, versions: readonly string[]): Promise<void> {
  const skills = []
  for (const version of versions) skills.push(JSON.parse(await signed(version)))
  const expires_at = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z')
  writeFileSync(path('draft.json'), JSON.stringify({ v: 1, name: 'acme', sequence, expires_at, skills }))
  const index = await done(['registry', 'sign', path('draft.json'), '--key', path('registry.pem')])
  writeFileSync(path('index.json'), index)
}

beforeAll(async () => {
  kit = await startAdminKit()
  folder = join(kit.folder, 'registry')
  mkdirSync(path('skills'), { recursive: true })
  writeFileSync(path('skills/report.js'), CODE)
  for (const [name, { privateKey }] of Object.entries(keys))
    writeFileSync(path(`${name}.pem`), privateKey.export({ format: 'pem', type: 'pkcs8' }))
})
afterAll(() => kit[Symbol.asyncDispose]())

test('a registry is signed, confirmed, searched and pinned, and its skill is asked for by name', async () => {
  await writeIndex(1, ['1.0.0'])
  // Nobody to ask, and nobody who says yes.
  expect(await oauth3(['registry', 'add', path('index.json')])).toMatchObject({ code: 2 })
  const no = await oauth3(['registry', 'add', path('index.json')], { isTerminal: true, stdin: 'n' })
  expect([no.code, no.stderr]).toEqual([1, expect.stringContaining(registryKey)])
  expect(await done(['registry', 'list'])).toContain('There is no registry.')
  await done(['registry', 'add', path('index.json')], { isTerminal: true, stdin: 'y' })
  expect(JSON.parse(await done(['registry', 'list', '--json'])).registries).toMatchObject([
    { name: 'acme', key: registryKey, sequence: 1, skills: 1, problem: null },
  ])

  await writeIndex(2, ['1.0.0', '1.1.0'])
  expect(await done(['registry', 'refresh', 'acme'])).toContain('number 2: 2 skills')
  expect(await done(['skill', 'search', 'charges'])).toMatch(/report@1\.1\.0[\s\S]*report@1\.0\.0/)
  expect(await done(['skill', 'search', 'refunds'])).toContain('Nothing found.')
  const shown = await done(['skill', 'show', 'report@1.0.0'])
  for (const text of [keyOf(keys.publisher.publicKey), 'api.stripe.com', 'STRIPE_KEY', 'nobody yet'])
    expect(shown).toContain(text)
  await done(['skill', 'pin', 'report@1.0.0'])
  expect(await done(['skill', 'pins'])).toContain('report@1.0.0')

  const request = { skillId: 'report', skill: 'report@1.0.0', runtime: 'deno', argsJson: null }
  const asked = await kit.executions.submit(kit.agent, request)
  const card = await done(['show', asked.requestId])
  expect(card).toMatch(/Signed\s+these bytes are signed by\s+ed25519:/)
  expect(card).toContain(CODE.trim())
  await done(['skill', 'unpin', 'report@1.0.0'])
  await done(['registry', 'remove', 'acme'])
  expect(await oauth3(['registry', 'remove', 'acme'])).toMatchObject({ code: 4 })
})

test('what cannot be signed is said, and a private key is never shown', async () => {
  const sign = (as: string, description = '') =>
    oauth3([
      ...['skill', 'sign', path('skills/report.js'), '--key', path('publisher.pem')],
      ...['--as', as, '--description', description],
    ])
  expect((await sign('report@1')).stderr).toContain('version: a version is MAJOR.MINOR.PATCH')
  expect((await sign('report@1.0.0@2.0.0')).stderr).toContain('version: a version is MAJOR.MINOR.PATCH')
  expect((await sign('Report@1.0.0')).stderr).toContain('name: a name is')
  expect((await sign('report@1.0.0', 'a\u202eb')).stderr).toContain('one line of visible text')
  writeFileSync(
    path('broken.pem'),
    '-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END PRIVATE KEY-----\n',
  )
  const broken = await oauth3([
    ...['skill', 'sign', path('skills/report.js'), '--key', path('broken.pem')],
    ...['--as', 'report@1.0.0'],
  ])
  expect([broken.code, broken.stderr]).toEqual([
    2,
    expect.stringContaining('is no private Ed25519 key as PEM'),
  ])
  expect(broken.stderr).not.toContain('c2VjcmV0')
  writeFileSync(path('null.json'), 'null')
  const empty = await oauth3(['registry', 'sign', path('null.json'), '--key', path('registry.pem')])
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('the form of docs/registry.md') })
  // Keys of another kind.
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  writeFileSync(path('rsa.pem'), rsa.export({ format: 'pem', type: 'pkcs8' }))
  expect(await oauth3(['registry', 'sign', path('draft.json'), '--key', path('rsa.pem')])).toMatchObject({
    code: 2,
  })
})
