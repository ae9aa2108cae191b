/** Every recipe of docs/recipes is done as it stands there, and prints what it says. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout } from '../../scripts/checkout-copy.ts'
import { comparable, stepsOf, withOutputs } from '../../scripts/recipe-page.ts'
import { runRecipe } from '../../scripts/run-recipe.ts'
import { dockerOrSkip } from '../support/docker.ts'

const RECIPES = join(import.meta.dirname, '../../../docs/recipes')
const NAMES = readdirSync(RECIPES).filter((name) => name !== 'README.md')
const docker = await dockerOrSkip()
const TOOLS = ['curl', 'git', 'openssl', 'sqlite3']
const HAS_GIT = existsSync(join(RECIPES, '../../.git'))
const missing = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)

describe.runIf(docker.available && HAS_GIT && missing.length === 0)('a recipe', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-recipes-'))
    copyCheckout(join(folder, 'checkout'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(NAMES)('%s prints what it says', async (name) => {
    const page = readFileSync(join(RECIPES, name), 'utf8')
    const run = await runRecipe(page, { checkout: join(folder, 'checkout'), folder: join(folder, name) })
    expect(run.failure).toBeNull()
    expect(run.steps.length).toBeGreaterThan(3)
    run.steps.forEach(({ commands, expected }, index) => {
      if (expected === null) return
      expect(comparable(expected), commands).not.toBe('')
      expect(comparable(run.outputs[index] ?? ''), commands).toBe(comparable(expected))
    })
  })
})

describe('the page of a recipe', () => {
  const PAGE = '# A\n\n```bash\na=1\n```\n\nText.\n\n```bash\necho $a\n```\n\n```text\nold\n```\n\nEnd.\n'

  it('has steps, with what each prints where the page shows it', () => {
    expect(stepsOf(PAGE)).toEqual([
      { commands: 'a=1\n', expected: null },
      { commands: 'echo $a\n', expected: 'old\n' },
    ])
  })

  it('takes what came out in the place of what stood there, and nothing else', () => {
    expect(withOutputs(PAGE, ['ignored\n', '$& new'])).toBe(PAGE.replace('old', () => '$& new'))
  })

  it('is compared without what differs from run to run: ids, times, ports, widths; everything else counts', () => {
    const one = 'req_0123456789abcdef pending  at 12:00:01 http://127.0.0.1:3738 duration_ms=9'
    expect(comparable(one)).toBe(
      comparable(one.replace('0123', 'fedc').replace('12:00:01', '13:59:00').replace('=9', '=12')),
    )
    expect(comparable(one)).not.toBe(comparable(one.replace('pending', 'success')))
  })
})
