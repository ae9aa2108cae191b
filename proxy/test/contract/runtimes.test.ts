/** What code can rely on, whatever it is written in: every row of the runtimes goes through the same tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DockerSandbox } from '../../src/sandbox/runner/docker/docker-sandbox.ts'
import { RUNTIMES } from '../../src/sandbox/runtimes/runtimes.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import { LANGUAGES } from '../support/runtime-probes.ts'
import { codeOf, createRuntimeSuite, type RuntimeSuite, UPSTREAM_HOST } from '../support/runtime-suite.ts'
import { type RunOptions, runIn } from '../support/sandbox-run.ts'

const availability = await dockerOrSkip({ images: RUNTIMES.map(({ name }) => name) })
const MIB = 1_048_576

describe.skipIf(!availability.available)('the runtimes', () => {
  let suite: RuntimeSuite
  beforeAll(async () => {
    suite = await createRuntimeSuite(`runtimes-${process.pid}`)
  })
  afterAll(async () => {
    await suite[Symbol.asyncDispose]()
  })

  it('are all there, each by the digest of its image', async () => {
    const { kind, runtimes, notes } = await suite.sandbox.status(0)
    expect(kind).toBe('docker')
    expect(notes).toEqual([])
    expect(runtimes.map(({ name }) => name)).toEqual(RUNTIMES.map(({ name }) => name))
    expect(new Set(runtimes.map(({ image }) => image)).size).toBe(RUNTIMES.length)
    for (const { image } of runtimes) expect(image).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  describe.each(RUNTIMES)('$name', (runtime) => {
    const language = LANGUAGES[runtime.language]
    const run = (code: string, options?: RunOptions) => suite.run(runtime, code, options)

    it('keeps the two outputs apart and reports the exit code 0', async () => {
      expect(await run(language.streams)).toMatchObject({
        end: 'exited',
        exitCode: 0,
        stdout: 'to out\nagain\n',
        stderr: 'to err\n',
        starts: 1,
        truncated: false,
      })
    })

    it('finds args as canonical text, and nothing without args', async () => {
      const code = language.variable('OAUTH3_ARGS')
      expect((await run(code, { args: '{"a":[1,"ü"]}' })).stdout).toBe('{"a":[1,"ü"]}\n')
      expect((await run(code)).stdout).toBe('unset\n')
    })

    it('finds secrets by name, whatever is in them, and no variable of the daemon', async () => {
      const secrets = { FIRST: 'demo-value-1', SECOND: 'two\nlines ✓' }
      expect((await run(language.variable('FIRST'), { secrets })).stdout).toBe('demo-value-1\n')
      expect((await run(language.variable('SECOND'), { secrets })).stdout).toBe('two\nlines ✓\n')
      process.env.RUNTIMES_CONTRACT_PROBE = 'demo-value-of-the-daemon'
      try {
        expect((await run(language.variable('RUNTIMES_CONTRACT_PROBE'))).stdout).toBe('unset\n')
      } finally {
        delete process.env.RUNTIMES_CONTRACT_PROBE
      }
    })

    it('refuses a value that no variable can hold before a line of the code runs', async () => {
      const refused = await run(language.print('ran'), { secrets: { BROKEN: 'demo\0value' } })
      expect(refused).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
    })

    it.each([0, 7, 200])(
      'leaves with the exit code %i at once, though something would go on',
      async (code) => {
        const left = await run(language.leave(code), { limits: { timeoutMs: 20_000 } })
        expect(left).toMatchObject({ end: 'exited', exitCode: code, stdout: 'x\n' })
      },
    )

    it('lets a hook at the end write to the last and choose the exit code', async ({ skip }) => {
      const run5 = await run(codeOf(language.atEnd, skip))
      expect(run5).toMatchObject({ end: 'exited', exitCode: 5, stdout: 'bye\n' })
    })

    it('ends with its main part, and takes down what still writes beside it', async ({ skip }) => {
      const ended = await run(codeOf(language.goesOn, skip), {
        limits: { timeoutMs: 20_000, outputBytes: 8 * MIB },
      })
      expect(ended).toMatchObject({ end: 'exited', exitCode: 0 })
      expect(ended.stdout).toContain('last\n')
    })

    it('reports 1 and the file and line of an uncaught error', async () => {
      const broken = await run(language.breaks)
      expect(broken).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
      expect(broken.stderr).toContain('it broke')
      expect(broken.stderr.replace('", line ', ':')).toMatch(new RegExp(`${language.mainFile}:3\\b`))
      expect(broken.stderr).not.toMatch(/runner\.|host\.mjs|prelude\.js/)
    })

    it('reports 1 for code that does not parse, before a line of it runs', async () => {
      const unreadable = await run(language.unreadable)
      expect(unreadable).toMatchObject({ end: 'exited', exitCode: 1, stdout: '' })
      expect(unreadable.stderr).toContain(language.mainFile)
    })

    it('runs exactly the text: byte order mark, CRLF, trailing space and controls included', async () => {
      const value = 'a\u0301\u0000b é \u{1f600}\u202e'
      const points = [...value].map((char) => char.codePointAt(0)).join()
      expect(await run(language.codePoints(value))).toMatchObject({ stdout: `${points}\n`, stderr: '' })
    })

    it('shows the end of standard input to code that reads it', async ({ skip }) => {
      expect((await run(codeOf(language.input, skip))).stdout).toBe('0\n')
    })

    it('passes binary output on unchanged', async ({ skip }) => {
      const { stdoutBytes } = await run(codeOf(language.bytes, skip))
      expect(stdoutBytes.equals(Buffer.from(Uint8Array.from({ length: 4096 }, (_, i) => i)))).toBe(true)
    })

    it('loses nothing of a large output when the code leaves right behind it', async () => {
      const { exitCode, stdoutBytes } = await run(language.muchAndLeave, { limits: { outputBytes: 8 * MIB } })
      expect(exitCode).toBe(0)
      expect(stdoutBytes.length).toBe(6_000_000)
    })

    it('takes a text for output that only looks like the end of a run', async () => {
      const forged = `\0oauth3-end ${'0'.repeat(32)} 0`
      expect(await run(language.print(forged))).toMatchObject({ exitCode: 0, stdout: `${forged}\n` })
    })

    it('takes code of several megabytes', async () => {
      expect(await run(language.long(3_000_000))).toMatchObject({ exitCode: 0, stdout: '3000000\n' })
    })

    it.each(['sleeps', 'spins'] as const)('ends code that %s at its time limit', async (what) => {
      const late = await run(language[what], { limits: { timeoutMs: 900 } })
      expect(late).toMatchObject({ end: 'timeout', exitCode: null, stdout: 'began\n' })
    })

    it('ends code at its memory limit', async () => {
      const full = await run(language.fillsMemory, { limits: { memoryBytes: 192 * MIB } })
      expect(full).toMatchObject({ end: 'memory_limit', exitCode: null })
    })

    it('keeps output up to its limit, and ends code that floods', async () => {
      const limits = { outputBytes: 10_000, timeoutMs: 30_000 }
      const much = await run(language.lines(1_000), { limits })
      expect(much).toMatchObject({ end: 'exited', exitCode: 0, truncated: true })
      expect(much.stdoutBytes.length).toBe(10_000)
      const flood = await run(language.floods, { limits })
      expect(flood).toMatchObject({ end: 'output_limit', truncated: true })
    })

    it('ends a run that is cancelled', async () => {
      const abort = new AbortController()
      const cancelled = await run(language.sleeps, { signal: abort.signal, onOutput: () => abort.abort() })
      expect(cancelled).toMatchObject({ end: 'cancelled', exitCode: null, starts: 1 })
    })

    describe('on the network', () => {
      const atUpstream = (path: string) => `https://${suite.approved}${path}`

      it('reaches an approved host, where the value stands in the place of its placeholder', async () => {
        const value = 'demo-value-that-only-the-host-sees'
        const { session, policy, events } = await suite.gateway.run([suite.approved], {
          TOKEN: { value, hosts: [suite.approved] },
        })
        const code = language.fetch({ url: atUpstream('/echo'), method: 'POST', body: 'hü', bearer: 'TOKEN' })
        const secrets = { TOKEN: placeholderOf(policy, 'TOKEN') }
        const reached = await run(code, { network: [suite.approved], egress: session, secrets })
        expect(reached).toMatchObject({ exitCode: 0, stderr: '' })
        expect(reached.stdout).toMatch(/^200\n/)
        expect(reached.stdout).not.toContain(value)
        const seen = suite.upstream.seen.at(-1)
        expect(seen).toMatchObject({ method: 'POST', url: '/echo', sni: UPSTREAM_HOST })
        expect(seen?.headers.authorization).toBe(`Bearer ${value}`)
        expect(Buffer.from(seen?.body ?? '', 'latin1').toString('utf8')).toBe('hü')
        expect((await events()).map(({ data }) => [data.method, data.status, data.secrets])).toEqual([
          ['POST', 200, ['TOKEN']],
        ])
      })

      it.each([
        ['another host', () => 'https://other.demo.test/', 'host_not_approved'],
        ['another port', () => `https://${UPSTREAM_HOST}/`, 'host_not_approved'],
        ['plain http', () => `http://${suite.approved}/`, 'plain_http_not_approved'],
      ])('reads why %s is refused', async (_what, url, rule) => {
        const { session } = await suite.gateway.run([suite.approved])
        const refused = await run(language.fetch({ url: url() }), {
          network: [suite.approved],
          egress: session,
        })
        expect(refused.stdout).toMatch(/^403\n/)
        expect(refused.stdout).toContain(`"rule":"${rule}"`)
      })

      it('speaks WebSocket through the gateway', async ({ skip }) => {
        const code = codeOf(language.webSocket(`wss://${suite.approved}/ws`), skip)
        const { session } = await suite.gateway.run([suite.approved])
        const timed = await run(code, { network: [suite.approved], egress: session })
        expect(timed).toMatchObject({ exitCode: 0, stdout: 'hello nobody\n' })
      })

      it('is evaluated all the same when it speaks to the socket by itself', async ({ skip }) => {
        const { session } = await suite.gateway.run([suite.approved])
        const asked =
          'GET http://other.demo.test/ HTTP/1.1\r\nHost: other.demo.test\r\nConnection: close\r\n\r\n'
        const answered = await run(codeOf(language.socket(asked), skip), {
          network: [suite.approved],
          egress: session,
        })
        expect(answered.stdout).toMatch(/^worked HTTP\/1\.1 403 /)
      })

      it('is refused everything in a run that was not let in', async () => {
        const before = suite.upstream.connections
        const refused = await run(language.fetch({ url: atUpstream('/') }))
        expect(refused.stdout).toMatch(/^(?:403\n|refused )/)
        expect(suite.upstream.connections).toBe(before)
      })
    })
  })
})

describe.skipIf(!availability.available)('a sandbox without egress endpoints', () => {
  it.each(RUNTIMES)('gives $name no network, and runs it', async (runtime) => {
    const language = LANGUAGES[runtime.language]
    await using suite = await createRuntimeSuite(`endpointless-${runtime.name}-${process.pid}`)
    const { docker } = suite
    await using sandbox = new DockerSandbox({
      docker,
      instanceId: `endpointless-${process.pid}`,
      poolSize: 0,
      endpoints: null,
    })
    const { stdout } = await runIn(sandbox, language.fetch({ url: `https://${suite.approved}/` }), {
      runtime: runtime.name,
    })
    expect(stdout).toMatch(/^refused /)
    expect(suite.upstream.connections).toBe(0)
  })
})
