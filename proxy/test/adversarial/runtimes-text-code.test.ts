/** Attack family 32 (what escapes): code that nobody was shown, made from text while it runs. Really tried, in real sandboxes. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isWalled } from '../../src/executions/facts/index.ts'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { DENO, RUNTIMES } from '../../src/sandbox/runtimes/runtimes.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { programOf, TEXT_CODE } from '../support/runtime-text-code.ts'
import { type CollectedRun, runIn } from '../support/sandbox-run.ts'

const availability = await dockerOrSkip({ images: RUNTIMES.map(({ name }) => name) })
const WALLED = RUNTIMES.filter(({ language }) => TEXT_CODE[language] !== null)
const SANDBOXES = [
  ...WALLED.map((runtime) => ({ kind: 'docker' as const, runtime })),
  { kind: 'embedded' as const, runtime: DENO },
]

/** What each way came to: 42 when the text ran. */
const saidBy = ({ stdout }: CollectedRun): string[][] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe.each(SANDBOXES)('code from text in $kind $runtime.name', ({ kind, runtime }) => {
  describe.skipIf(kind === 'docker' && !availability.available)('is refused', () => {
    const ways = TEXT_CODE[runtime.language] as NonNullable<(typeof TEXT_CODE)['deno']>
    // The embedded sandbox has no files to write text to.
    const header =
      kind === 'embedded' ? `${ways.header}\nfs.writeFileSync = fs.mkdirSync = () => {}` : ways.header
    let sandbox: Sandbox
    beforeAll(async () => {
      sandbox = await createSandbox({
        kind,
        poolSize: 1,
        instanceId: `text-code-${kind}-${runtime.name}-${process.pid}`,
        endpoints: null,
      })
    })
    afterAll(async () => {
      await sandbox[Symbol.asyncDispose]()
    })
    const run = (code: string, dynamicCode = false) =>
      runIn(sandbox, code, { runtime: runtime.name, dynamicCode })

    it('is what the row of the runtime says', () => {
      expect([runtime.wallsDynamicCode, isWalled(runtime.name)]).toEqual([true, true])
    })

    it('in every way that the language has, with an error that says so', async () => {
      const said = saidBy(await run(programOf(header, ways.refused)))
      expect(said.map(([name]) => name)).toEqual(Object.keys(ways.refused))
      expect(
        said.filter(
          ([, made, , message = '']) =>
            made !== 'refused' || !/dynamic_code|Code generation from strings disallowed/.test(message),
        ),
      ).toEqual([])
    })

    it('where there never was a way', async () => {
      const said = saidBy(await run(programOf(header, ways.absent)))
      expect(said.map(([name]) => name)).toEqual(Object.keys(ways.absent))
      expect(said.filter(([, made]) => made !== 'refused')).toEqual([])
    })

    it.each(Object.entries(ways.refusedPrograms))('in a program of its own: %s', async (_name, code) => {
      const refused = await run(code)
      expect(refused).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
      expect(refused.stderr).toMatch(/dynamic_code|could not load module|Requires read access/)
    })

    it('and leaves what is not code from text as it was', async () => {
      const said = saidBy(await run(programOf(header, ways.honest)))
      expect(said).toEqual(Object.keys(ways.honest).map((name) => [name, '42']))
    })

    it('unless the run may, in a container that did not wait for it', async () => {
      const allowed = ways.allowed.filter((name) => kind !== 'embedded' || name !== 'a written file')
      const chosen = Object.fromEntries(allowed.map((name) => [name, ways.refused[name] ?? '']))
      expect(saidBy(await run(programOf(header, chosen), true))).toEqual(allowed.map((name) => [name, '42']))
      const [[, made] = []] = saidBy(await run(programOf('', { eval: ways.refused.eval ?? '' })))
      expect(made).toBe('refused')
    })

    // QuickJS raises its wall unless it is told not to.
    it.skipIf(kind === 'embedded' || runtime.language === 'quickjs')(
      'and a container that was started for the other takes no code',
      async () => {
        const { command } = runtime
        const turned = vi
          .spyOn(runtime, 'command')
          .mockImplementation((options) => command({ ...options, dynamicCode: !options.dynamicCode }))
        try {
          await using other = await createSandbox({
            kind,
            poolSize: 0,
            instanceId: `text-code-turned-${runtime.name}-${process.pid}`,
            endpoints: null,
          })
          for (const dynamicCode of [false, true]) {
            const refused = await runIn(other, 'console.log("ran")', { runtime: runtime.name, dynamicCode })
            expect(refused).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
            expect(refused.stderr).toContain('was not started for what the run may do')
          }
        } finally {
          turned.mockRestore()
        }
      },
    )
  })
})
