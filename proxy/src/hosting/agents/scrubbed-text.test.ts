import { describe, expect, it } from 'vitest'
import { SecretValue } from '../../kernel/index.ts'
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
})
