import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { keyOf } from '../../src/contracts/registry/index.ts'
import { sha256Hex } from '../../src/kernel/index.ts'
import { FILES, INDEX, OWNER, problem, publish, useRegistry } from '../support/registry-kit.ts'
import { entry, index, indexText, STRANGER } from '../support/sample-registry.ts'

const world = useRegistry()
const { sample, add, known, fresh, now, ask } = world

describe('an index', () => {
  test('of another key than was confirmed is not added', async () => {
    publish(sample([entry()]))
    expect(await problem(add(INDEX, keyOf(STRANGER)))).toMatch(/^registry_refused: The index is signed by/)
    expect(await problem(add(INDEX, 'ed25519:short'))).toMatch(/^invalid_request/)
    expect(await known()).toEqual([])
  })

  test('that is older than one seen, another of the same number, or of another key or name is not taken', async () => {
    const name = fresh()
    publish(sample([entry({ name })], { sequence: 5 }))
    await add()
    for (const [text, said] of [
      [sample([], { sequence: 4 }), 'older than number 5'],
      [sample([], { sequence: 5 }), 'another than the one that was number 5'],
      [sample([], { sequence: 6, name: 'evil' }), 'calls itself evil'],
      [indexText([], { now: now(), sequence: 6, key: keyOf(STRANGER) }, STRANGER), 'which was confirmed'],
    ] as const) {
      publish(text)
      expect(await problem(world.api.registries.refresh('acme', OWNER)), said).toMatch(/^registry_refused/)
      expect(String(world.api.events('registry.refused').at(-1)?.data.problem)).toContain(said)
      expect((await ask(`${name}@1.0.0`)).status).toBe(202)
    }
  })

  test('is taken anew after an hour, kept while its registry is away, and good for nothing once it has expired', async () => {
    const [name, later] = [fresh(), fresh()]
    publish(sample([entry({ name })]))
    await add()
    publish(sample([entry({ name }), entry({ name: later })], { sequence: 2 }))
    expect((await ask(`${later}@1.0.0`)).error?.code).toBe('not_found')
    world.api.clock.advance(3_600_000)
    expect((await ask(`${later}@1.0.0`)).status).toBe(202)
    FILES.clear()
    world.api.clock.advance(7_200_000)
    expect((await ask(`${name}@1.0.0`)).status).toBe(202)
    // Asked once, not by every request.
    const asked = world.upstream.seen.length
    await ask(`${name}@1.0.0`)
    expect(world.upstream.seen.length).toBe(asked)
    world.api.clock.advance(31 * 24 * 3_600_000)
    expect((await ask(`${name}@1.0.0`)).error).toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining('expired at'),
    })
    expect((await world.api.registries.list())[0]?.problem).toContain('expired at')
  })

  test('whose row was changed in the database is good for nothing', async () => {
    const name = fresh()
    publish(sample([entry({ name })]))
    await add()
    const forged = JSON.stringify(index([entry({ name })], { now: now(), key: keyOf(STRANGER) }, STRANGER))
    world.api.db
      .prepare('UPDATE registries SET index_text = ?, index_hash = ?')
      .run(forged, sha256Hex(forged))
    expect((await ask(`${name}@1.0.0`)).error?.message).toBe(
      `No registry lists ${name}@1.0.0. The index of acme cannot be read.`,
    )
  })

  test.each(['oauth3', '0auth3', 'oauth-3.official'])('that calls itself %s is not added', async (name) => {
    publish(sample([entry()], { name }))
    expect(await problem(add())).toMatch(/^registry_refused: .* reads like the daemon itself/)
    expect((await ask(`${name}@1.0.0`)).error?.code).toMatch(/^(not_found|invalid_request)$/)
  })
})

describe('addresses', () => {
  test.each([
    ['https://127.0.0.1/a.ts', /^skill_url_refused/],
    ['https://169.254.169.254/latest/meta-data', /^skill_url_refused/],
    ['https://inside.example.com/a.ts', /^skill_url_refused/],
    ['https://other.example.com/a.ts', /^skill_url_refused: .*OAUTH3_SKILL_URL_HOSTS/],
    ['http://skills.example.com/a.ts', /^registry_refused/],
    ['https://user:pass@skills.example.com/a.ts', /^registry_refused/],
    ['https://skills.example.com:8443/a.ts', /^registry_refused/],
    ['file:///etc/passwd', /^registry_refused/],
    ['/etc/passwd', /^registry_refused/],
    ['../../etc/passwd', /^registry_refused/],
    ['skills/../../a.ts', /^registry_refused/],
    ['//other.example.com/a.ts', /^registry_refused/],
    ['javascript:alert(1)', /^registry_refused/],
  ])('code at %s is not fetched', async (url, said) => {
    const name = fresh()
    publish(sample([entry({ name, url }, `console.log("${name}")\n`)]))
    await add()
    const seen = world.upstream.seen.length
    const { error } = await ask(`${name}@1.0.0`)
    expect(`${error?.code}: ${error?.message}`).toMatch(said)
    expect(world.upstream.seen.length).toBe(seen)
  })

  test.each([
    'https://127.0.0.1/x',
    'https://inside.example.com/x',
    'https://other.example.com/x',
    'file:///etc/passwd',
  ])('a redirect of code or index to %s is not followed', async (location) => {
    const name = fresh()
    publish(sample([entry({ name, url: 'moved.ts' }, `console.log("${name}")\n`)]))
    FILES.set('https://skills.example.com/moved.ts', `→ ${location}`)
    await add()
    expect((await ask(`${name}@1.0.0`)).error?.code).toMatch(/^skill_(url_refused|unreachable)$/)
    publish(`→ ${location}`)
    expect(await problem(world.api.registries.refresh('acme', OWNER))).toMatch(
      /^skill_(url_refused|unreachable)/,
    )
    expect(world.upstream.seen.at(-1)?.path).toBe('/index.json')
  })

  test('what is fetched for an agent is in the audit, and paid for as a card is', async () => {
    const name = fresh()
    const code = `console.log("${name}")\n`
    publish(sample([entry({ name, url: 'p.ts' }, code)]))
    FILES.set('https://skills.example.com/p.ts', code)
    await add()
    await ask(`${name}@1.0.0`)
    expect(world.api.events('egress.request').at(-1)?.data).toMatchObject({
      for: 'skill',
      url: 'https://skills.example.com/p.ts',
    })
  })

  test('the index of a Gist lists files beside it', async () => {
    const name = fresh()
    const code = `console.log("${name}")\n`
    const page = 'https://gist.github.com/ann/0123456789abcdef'
    const raw = 'https://gist.githubusercontent.com/ann/0123456789abcdef/raw'
    publish(sample([entry({ name, url: 'report.ts' }, code)]), raw)
    FILES.set(`${raw}/report.ts`, code)
    expect((await add(page)).registry.url).toBe(raw)
    expect((await ask(`${name}@1.0.0`)).card?.code.text).toBe(code)
  })

  test('the index of a file lists files below its own folder, and no links out of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oauth3-registry-'))
    try {
      const [good, linked] = [fresh(), fresh()]
      const code = (name: string): string => `console.log("${name}")\n`
      mkdirSync(join(folder, 'registry/skills'), { recursive: true })
      writeFileSync(join(folder, 'registry/skills/good.ts'), code(good))
      writeFileSync(join(folder, 'outside.ts'), code(linked))
      symlinkSync(join(folder, 'outside.ts'), join(folder, 'registry/skills/linked.ts'))
      const file = join(folder, 'registry/index.json')
      writeFileSync(
        file,
        sample([
          entry({ name: good, url: 'skills/good.ts' }, code(good)),
          entry({ name: linked, url: 'skills/linked.ts' }, code(linked)),
        ]),
      )
      await add(pathToFileURL(file).href)
      expect((await ask(`${good}@1.0.0`)).card?.code.text).toBe(code(good))
      expect((await ask(`${linked}@1.0.0`)).error?.code).toBe('skill_unreachable')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test.each(['/dev/zero', '/dev/stdin', '/proc/self/environ', '/etc/passwd', '/nowhere', '/'])(
    'a file that is no index tells nothing: %s',
    async (path) => {
      const said = await problem(world.api.registries.look(pathToFileURL(path).href))
      expect(said).toMatch(/^(skill_unreachable: The file of|registry_refused: The index is not JSON)/)
    },
  )
})
