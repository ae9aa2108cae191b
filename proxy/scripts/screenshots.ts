import crypto from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { CHROMIUM_ARGS, chromiumBinary, DESKTOP, PHONE } from '../test/support/chromium.ts'
import { buildConsole } from '../test/support/console-build.ts'
import { MAX_BYTES, type Manifest, SHOTS } from './screenshots/shots.ts'

/**
 * `npm run screenshots`: takes the pictures of the console that the documents show, in a real Chromium, of a daemon whose clock stands
 * still and whose ids are the same each time. It needs port 3737, which is on the pictures.
 */
const PORT = 3737
const FOLDER = join(import.meta.dirname, '../../docs/images')

// Ids are random: made so that they are the same each time. What this daemon keeps is nobody's.
let drawn = 0
crypto.randomBytes = ((size: number): Buffer =>
  crypto.hash('sha512', `drawn ${drawn++}`, 'buffer').subarray(0, size)) as typeof crypto.randomBytes
syncBuiltinESMExports()
const { startSampleDaemon } = await import('./screenshots/sample-daemon.ts')

buildConsole()
await using sample = await startSampleDaemon(PORT)
const browser = await chromium.launch({ executablePath: chromiumBinary() ?? '', args: CHROMIUM_ARGS })
mkdirSync(FOLDER, { recursive: true })
for (const name of readdirSync(FOLDER)) if (/^console[-.]/.test(name)) rmSync(join(FOLDER, name))

const navigation = new Set<string>()
for (const { name, page: path, size, look = 'light', sign } of SHOTS) {
  const context = await browser.newContext({
    ...(size === 'phone' ? { ...PHONE, deviceScaleFactor: 1.5 } : DESKTOP),
    ...{ colorScheme: look, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC' },
  })
  const page = await context.newPage()
  const { origin, hash } = new URL(await sample.link())
  await page.goto(`${origin}/console${path.replace(':id', sample.changed)}${hash}`)
  await page.locator('.connection.live').waitFor()
  await page.locator(sign).first().waitFor()
  await page.evaluate('document.fonts.ready')
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))')
  for (const text of await page
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('link')
    .allTextContents())
    if (size === 'desktop') navigation.add(text.replace(/[0-9]+$/, '').trim())
  const file = join(FOLDER, `console-${name}.png`)
  await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' })
  await context.close()
  const { size: bytes } = statSync(file)
  console.log(`${name.padEnd(20)} ${(bytes / 1_000).toFixed(0).padStart(4)} kB`)
  if (bytes > MAX_BYTES) throw new Error(`${file} is larger than ${MAX_BYTES} bytes`)
}
await browser.close()
const manifest: Manifest = { shots: SHOTS, navigation: [...navigation] }
writeFileSync(join(FOLDER, 'console.json'), `${JSON.stringify(manifest, null, 2)}\n`)
