import { describe, expect, test } from 'vitest'
import { keyOf } from '../../src/contracts/registry/index.ts'
import { FILES, OWNER, problem, publish, useRegistry } from '../support/registry-kit.ts'
import { CODE, entry, index, PUBLISHER, REGISTRY, STRANGER } from '../support/sample-registry.ts'

const world = useRegistry()
const { fresh, sample, add, ask, now } = world

describe('a skill of a registry', () => {
  test('is asked about as any other code: nothing that its registry says approves it', async () => {
    const name = fresh()
    publish(sample([entry({ name })]))
    await add()
    const before = world.api.orders.length
    const { status, json, card, execution } = await ask(`${name}@1.0.0`)
    expect([status, json.status, json.skill_id, world.api.orders.length]).toEqual([
      202,
      'pending',
      name,
      before,
    ])
    expect(card?.code.text).toBe(CODE)
    expect(card?.source).toContain(`signed by ${keyOf(PUBLISHER)} (nothing of it approved before)`)
    expect(card?.provenance).toMatchObject({
      skill: `${name}@1.0.0`,
      registry: { name: 'acme' },
      pinned: false,
    })
    // What the card says of it is in what is decided.
    expect(execution?.consentJson).toContain(keyOf(PUBLISHER))
    for (const text of [keyOf(PUBLISHER), keyOf(REGISTRY), 'approves nothing'])
      expect(card?.full).toContain(text)
    await world.api.decide(json.request_id, 'forever')
    expect((await world.api.call('GET', `/execute/${json.request_id}?wait=5`)).json.status).toBe('success')
    expect(world.api.orders.at(-1)?.code).toBe(CODE)
  })

  test('stays trusted by its bytes alone: other bytes of the same publisher are asked about, with what changed', async () => {
    const name = fresh()
    const next = 'console.log("other")\n'
    publish(sample([entry({ name }), entry({ name, version: '1.1.0', url: 'next.ts' }, next)]))
    FILES.set('https://skills.example.com/next.ts', next)
    await add()
    await world.api.decide((await ask(`${name}@1.0.0`)).json.request_id, 'forever')
    expect((await ask(`${name}@1.0.0`)).execution?.trusted).toBe(true)
    const { execution, card } = await ask(`${name}@1.1.0`)
    expect([execution?.trusted, execution?.status]).toEqual([false, 'pending'])
    expect(card?.changes.join()).toMatch(
      new RegExp(`^code: ${name}@1\\.0\\.0 [0-9a-f]{12} → ${name}@1\\.1\\.0 `),
    )
    expect(card?.changes.join()).not.toContain('signed by')
  })

  test.each([
    ['{"skill":"NAME@1.0.0","code":"1"}', 'stands in place'],
    ['{"skill":"NAME@1.0.0","skill_url":"https://skills.example.com/a.ts"}', 'stands in place'],
    ['{"skill":"NAME@1.0.0","skill_id":"trusted/other"}', 'the name of the skill'],
    ['{"skill":"NAME"}', 'name@version'],
    ['{"skill":"../NAME@1.0.0"}', 'name@version'],
    ['{"skill":"nаme@1.0.0"}', 'name@version'],
  ])('is not mixed with other code or another name: %s', async (body, said) => {
    const name = fresh()
    publish(sample([entry({ name })]))
    await add()
    const { status, text } = await world.api.execute(body.replace('NAME', name))
    expect(status).toBe(400)
    expect(text).toContain(said)
  })

  test('that says or asks for other than its entry stands out: what it does, secrets and hosts each', async () => {
    const name = fresh()
    publish(sample([entry({ name, secrets: ['A_KEY'], network: ['api.example.com'] })]))
    await add()
    expect((await ask(`${name}@1.0.0`)).kinds).not.toContain('other_entry')
    const { card } = await ask(`${name}@1.0.0`, {
      secrets: ['A_KEY', 'B_KEY'],
      metadata: { network: ['api.example.com', 'evil.example'], description: 'Pays a bill.' },
    })
    const other = card?.warnings.filter(({ kind }) => kind === 'other_entry').map(({ text }) => text)
    expect(other).toEqual([
      'its registry entry says that it does: Counts the charges of a day.',
      'gets B_KEY, which its registry entry does not name',
      'may send to evil.example, which its registry entry does not name',
    ])
    expect(card?.warnings.find(({ kind }) => kind === 'other_entry')?.pinned).toBe(true)
  })
})

test('a skill whose name could be taken for that of one approved before, though once only, stands out', async () => {
  const name = `payments-summary-${fresh()}`
  const like = name.replace('summary', 'sumrnary')
  publish(sample([entry({ name }), entry({ name: like })]))
  await add()
  expect((await ask(`${like}@1.0.0`)).kinds).not.toContain('lookalike_name')
  await world.api.decide((await ask(`${name}@1.0.0`)).json.request_id, 'once')
  expect((await ask(`${like}@1.0.0`)).kinds).toContain('lookalike_name')
})

describe('bytes and keys', () => {
  test('code that is not what was signed is refused and leaves no row', async () => {
    const name = fresh()
    const code = 'console.log("signed")\n'
    publish(sample([entry({ name, url: 'x.ts' }, code)]))
    FILES.set('https://skills.example.com/x.ts', code.replace('signed', 'forged'))
    await add()
    const rows = world.api.rows('executions')
    expect((await ask(`${name}@1.0.0`)).error?.code).toBe('code_hash_mismatch')
    expect(world.api.rows('executions')).toBe(rows)
  })

  test('an entry under the signature of another, of another publisher or of none is refused, though its registry signed it', async () => {
    const name = fresh()
    const [mine, other] = [entry({ name }), entry({ name: fresh() })]
    for (const bad of [
      { ...mine, signature: other.signature },
      { ...mine, publisher: keyOf(STRANGER) },
      { ...mine, description: 'Says more than was signed.' },
      { ...mine, secrets: ['A_KEY'] },
    ]) {
      publish(sample([bad]))
      await add()
      expect((await ask(`${name}@1.0.0`)).error).toMatchObject({
        code: 'registry_refused',
        message: expect.stringContaining('does not bear a signature of its publisher'),
      })
      expect(await world.api.registries.search([])).toEqual([])
      expect(await problem(world.api.registries.pin(`${name}@1.0.0`, OWNER))).toMatch(/^registry_refused/)
      await world.api.registries.remove('acme', OWNER)
    }
  })

  test('another key for a known name is loud until a person accepts it, and loud again on the way back', async () => {
    const name = fresh()
    const codes = ['1', '2', '3'].map((mark) => `console.log("${name} ${mark}")\n`)
    const keys = [PUBLISHER, STRANGER, PUBLISHER]
    publish(
      sample(
        codes.map((code, at) =>
          entry(
            { name, version: `1.${at}.0`, url: `${name}-${at}.ts`, publisher: keyOf(keys[at] as never) },
            code,
            keys[at],
          ),
        ),
      ),
    )
    for (const [at, code] of codes.entries()) FILES.set(`https://skills.example.com/${name}-${at}.ts`, code)
    await add()
    const first = await ask(`${name}@1.0.0`)
    expect(first.kinds).not.toContain('other_publisher')
    await world.api.decide(first.json.request_id, 'forever')
    for (const [version, now_, before] of [
      ['1.1.0', STRANGER, PUBLISHER],
      ['1.2.0', PUBLISHER, STRANGER],
    ] as const) {
      const { card, json } = await ask(`${name}@${version}`)
      const [loud] = card?.warnings ?? []
      expect(loud).toMatchObject({ kind: 'other_publisher', pinned: true })
      expect(loud?.text).toBe(`signed by ${keyOf(now_)}, and NOT as before by ${keyOf(before)}`)
      expect(card?.changes.join()).toContain(`signed by: ${keyOf(before)} → ${keyOf(now_)}`)
      // A denial accepts nothing.
      await world.api.decide(json.request_id, 'deny')
      const again = await ask(`${name}@${version}`)
      expect(again.kinds?.[0]).toBe('other_publisher')
      await world.api.decide(again.json.request_id, 'forever')
      expect((await ask(`${name}@${version}`)).execution?.trusted).toBe(true)
    }
    expect(
      world.api.events('skill.publisher_accepted').filter(({ data }) => data.name === name),
    ).toHaveLength(3)
  })

  test('a card that did not say so accepts no other key, when it was made before the first was accepted', async () => {
    const name = fresh()
    const code = `console.log("${name}")\n`
    publish(
      sample([
        entry({ name }),
        entry({ name, version: '1.1.0', url: 'late.ts', publisher: keyOf(STRANGER) }, code, STRANGER),
      ]),
    )
    FILES.set('https://skills.example.com/late.ts', code)
    await add()
    const [first, late] = [await ask(`${name}@1.0.0`), await ask(`${name}@1.1.0`)]
    expect(late.kinds).not.toContain('other_publisher')
    await world.api.decide(first.json.request_id)
    await world.api.decide(late.json.request_id)
    expect((await ask(`${name}@1.0.0`)).card?.source).toContain('(as before)')
    expect((await ask(`${name}@1.1.0`)).kinds?.[0]).toBe('other_publisher')
  })

  test('what is pinned is these bytes alone, whatever is listed later, and pinning approves nothing', async () => {
    const name = fresh()
    publish(sample([entry({ name })]))
    await add()
    await world.api.registries.pin(`${name}@1.0.0`, OWNER)
    const pinned = await ask(`${name}@1.0.0`)
    expect([pinned.execution?.status, pinned.card?.provenance?.pinned]).toEqual(['pending', true])
    publish(sample([entry({ name }, 'console.log("swapped")\n')], { sequence: 2 }))
    await world.api.registries.refresh('acme', OWNER)
    expect((await ask(`${name}@1.0.0`)).error).toMatchObject({ code: 'conflict' })
    expect(await problem(world.api.registries.pin(`${name}@1.0.0`, OWNER))).toMatch(/^conflict/)
  })

  test('two registries that list other code under one name leave it to nobody to guess', async () => {
    const name = fresh()
    const code = 'console.log("confused")\n'
    publish(sample([entry({ name })]))
    const other = index(
      [entry({ name, url: 'c.ts', publisher: keyOf(STRANGER) }, code, STRANGER)],
      {
        ...{ now: now(), name: 'mallory', key: keyOf(STRANGER) },
      },
      STRANGER,
    )
    publish(JSON.stringify(other), 'https://other.example.com/index.json')
    FILES.set('https://other.example.com/c.ts', code)
    await add()
    await add('https://other.example.com/index.json', keyOf(STRANGER))
    expect((await ask(`${name}@1.0.0`)).error).toMatchObject({
      code: 'conflict',
      message: `Several registries list ${name}@1.0.0: say acme/${name}@1.0.0 or mallory/${name}@1.0.0.`,
    })
    expect((await ask(`acme/${name}@1.0.0`)).card?.code.text).toBe(CODE)
    expect((await ask(`mallory/${name}@1.0.0`)).card?.code.text).toBe(code)
  })
})
