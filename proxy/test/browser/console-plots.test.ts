import { expect, it } from 'vitest'
import { DEFAULT_TENANT } from '../../src/kernel/index.ts'
import { DESKTOP, describeInBrowser } from '../support/browser.ts'
import { openRaw } from '../support/test-engine.ts'

/** How many pixels of the first canvas have the colour that the page's accent has in use. */
const ACCENT_PIXELS = `(() => {
  const canvas = document.querySelector('canvas')
  const probe = document.querySelector('.u-legend') ?? canvas.parentElement
  probe.style.color = 'var(--accent)'
  const [r, g, b] = getComputedStyle(probe).color.match(/[0-9]+/g).map(Number)
  probe.style.removeProperty('color')
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let count = 0
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] === 255) count++
  return count
})()`

describeInBrowser('plots', (kit) => {
  it.each(['light', 'dark'] as const)(
    'of usage are drawn in the colours of the page, in %s',
    async (colorScheme) => {
      const [agent] = (await kit.daemon.admin('GET', '/v1/agents')).body.agents as { id: string }[]
      const db = openRaw(kit.daemon.folder, 'data/proxy.db')
      db.prepare(
        `INSERT INTO usage_by_day (tenant_id, day, agent_id, provider, model, key_id, requests, failed, untold, input_tokens,
           output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, unpriced, assumed_tokens, assumed_micro_usd)
         VALUES ('${DEFAULT_TENANT}', ?, ?, 'openai', ?, 1, 9, 0, 0, 900, 90, 0, 0, 9000, 0, 0, 0)`,
      ).run(new Date().toISOString().slice(0, 10), agent?.id, colorScheme)
      db.close()
      const ann = await kit.person({ ...DESKTOP, colorScheme })
      await ann.signIn('/usage')
      await ann.page.locator('canvas').first().waitFor()
      await expect.poll(() => ann.page.evaluate<number>(ACCENT_PIXELS)).toBeGreaterThan(100)
    },
  )
})
