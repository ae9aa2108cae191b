import { describe, expect, it } from 'vitest'
import { owner } from '../../../test/support/principals.ts'
import { AppError, SecretValue } from '../../kernel/index.ts'
import type { Machine, MachineProcess } from '../machines/index.ts'
import { createInspections, createMachineScrubbers } from './inspections.ts'
import { createMachineLog } from './machine-log.ts'
import { createTextScrubber } from './scrubbed-text.ts'

const KEY = Array.from({ length: 40 }, (_, at) => `line ${at} of a key that is not real`).join('\n')

describe('what a machine printed', () => {
  const shown = async (lines: readonly string[]) => {
    const log = createMachineLog()
    for (const line of lines) log.add(line)
    const { log: clean } = await createTextScrubber(new Map([['KEY', new SecretValue(KEY)]]))
    return clean(log.kept())
  }

  it('is shown whole while it is short', async () => {
    expect(await shown(['one', '', 'two'])).toEqual({ text: 'one\n\ntwo\n', isCut: false })
    expect(await shown([])).toEqual({ text: '', isCut: false })
  })

  it('is kept and shown by its newest lines, however much comes', async () => {
    const { text, isCut } = await shown(Array.from({ length: 50_000 }, (_, at) => `${at}`))
    expect(isCut).toBe(true)
    expect(text).toMatch(/^\d+\n[\s\S]*\n49999\n$/)
    expect(text.split('\n').length).toBeLessThan(4_000)
    const long = await shown(Array.from({ length: 2_000 }, () => 'x'.repeat(20_000)))
    expect(long.text.length).toBeLessThanOrEqual(32_768)
    expect(long.text.length).toBeGreaterThan(20_000)
  })

  it('holds no rest of a secret whose beginning was dropped', async () => {
    // Somewhere there the newest lines leave room for a part of it alone.
    for (let lines = 2_170; lines < 2_260; lines += 7) {
      const behind = Array.from({ length: lines }, (_, at) => `${at}`.padStart(4))
      const { text } = await shown([...KEY.split('\n'), ...behind])
      expect(text).not.toContain('of a key')
      expect(text).toMatch(/\n\d+\n$/)
    }
  })

  it('holds no beginning of a secret that a line was cut in', async () => {
    const { text } = await shown([`${'x'.repeat(4_050)}${KEY.replaceAll('\n', ' ')}`, 'next'])
    expect(text).toContain('next')
    const cut = await shown([`${'x'.repeat(4_070)}${KEY.slice(0, 33)}${KEY.slice(33)}`, 'next'])
    expect(cut.text).not.toContain('line 0')
  })

  it('holds no beginning of a token that a line was cut in', async () => {
    const token = `oa3_${'demo-'.repeat(9).slice(0, 43)}`
    for (const left of [12, 46])
      expect((await shown([`${'x '.repeat(2_048).slice(left)}${token}`, 'next'])).text).toMatch(
        /x \[token\]\nnext\n$/,
      )
    expect((await shown([`${'x '.repeat(30)}oa3_a`, 'next'])).text).toContain('oa3_a')
  })

  it('holds no token of ours, however it stands in JSON or in an address', async () => {
    const token = `oa3_${'demo-'.repeat(9).slice(0, 43)}`
    const lines = [
      `x ${token}`,
      JSON.stringify(`a\n${token}`),
      `k%3D${token}&`,
      `\\u003d${token}`,
      `A_${token}`,
    ]
    const { text } = await shown(lines)
    expect(text).not.toContain('oa3_')
    expect(text.split('[token]')).toHaveLength(6)
    expect((await shown([`noa3_${'x'.repeat(60)}`])).text).not.toContain('[token]')
    // As grep --color shows what it found.
    expect((await shown([`\x1b[01;31m\x1b[K${token}\x1b[m\x1b[K`])).text).toContain('[token]')
  })
})

describe('processes of a machine', () => {
  const SECRET = 'demo/secret+that-is/not:real'
  const linkOf = async () => undefined
  const commands = async (...args: readonly string[]) => {
    const inspections = createInspections({
      named: async () => ({
        machine: {} as Machine,
        machines: { processes: async () => args.map((one) => ({ args: one }) as MachineProcess) } as never,
      }),
      linkOf,
      assertOpen: () => {},
      scrubberFor: createMachineScrubbers({
        linkOf,
        openToScrub: async () => new Map([['KEY', new SecretValue(SECRET)]]),
      }),
    })
    const { processes } = await inspections.processes('claw', owner())
    return processes.map(({ command }) => command)
  }

  it('are programs and scripts, without what they were told', async () => {
    expect(
      await commands('node /app/main.mjs --key x', '/usr/bin/curl -H secret', 'sshd: login', ''),
    ).toEqual([...['node main.mjs', 'curl', 'sshd', '?']])
  })

  it('that call themselves by a secret, or by a part of one, show none of it', async () => {
    const shown = await commands(SECRET, `/bin/${SECRET}`, `x-${SECRET.slice(0, 20)}`, `${SECRET}: worker`)
    expect(shown.join()).not.toMatch(/real|that|demo/)
  })

  it('are not asked of the engine in a lockdown', async () => {
    const asked: string[] = []
    const inspections = createInspections({
      named: async () => ({
        machine: {} as Machine,
        machines: { processes: async () => asked.push('processes') } as never,
      }),
      linkOf,
      assertOpen: () => {
        throw new AppError('locked', 'Everything is stopped.')
      },
      scrubberFor: createMachineScrubbers({ linkOf, openToScrub: async () => new Map() }),
    })
    for (const look of [inspections.processes('claw', owner()), inspections.printed('claw', '7', owner())])
      await expect(look).rejects.toMatchObject({ code: 'locked' })
    expect(asked).toEqual([])
  })
})
