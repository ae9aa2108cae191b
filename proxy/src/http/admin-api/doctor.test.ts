import { expect, test } from 'vitest'
import { runDoctor } from './doctor.ts'

test('a check that throws or hangs fails alone and in time', async () => {
  const report = await runDoctor(
    [
      { name: 'well', run: async () => ({ ok: true, said: 'fine' }) },
      { name: 'throws', run: () => Promise.reject(new Error('boom')) },
      {
        name: 'throws at once',
        run: () => {
          throw new Error('at once')
        },
      },
      { name: 'hangs', run: () => new Promise(() => {}) },
    ],
    100,
  )
  expect(report.ok).toBe(false)
  expect(report.checks.map(({ name, ok, said }) => ({ name, ok, said }))).toEqual([
    { name: 'well', ok: true, said: 'fine' },
    { name: 'throws', ok: false, said: 'boom' },
    { name: 'throws at once', ok: false, said: 'at once' },
    { name: 'hangs', ok: false, said: 'no answer within 0.1 s' },
  ])
})
