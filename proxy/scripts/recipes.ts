import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyCheckout } from './checkout-copy.ts'
import { readCommandLine } from './command-line.ts'
import { comparable, withOutputs } from './recipe-page.ts'
import { runRecipe } from './run-recipe.ts'

const RECIPES = join(import.meta.dirname, '../../docs/recipes')
const { values, names: wanted } = readCommandLine({
  command: 'npm run recipes',
  does: 'Runs the recipes of docs/recipes against a daemon of its own and shows where a page says something else than what came out.',
  names: 'name…',
  options: { write: { type: 'boolean', default: false, says: 'puts what came out into the pages' } },
})

const folder = mkdtempSync(join(tmpdir(), 'oauth3-recipes-'))
const checkout = join(folder, 'checkout')
copyCheckout(checkout)
try {
  const names = readdirSync(RECIPES).filter((name) => name !== 'README.md')
  for (const name of names) {
    if (wanted.length > 0 && !wanted.some((start) => name.startsWith(start))) continue
    const page = readFileSync(join(RECIPES, name), 'utf8')
    const run = await runRecipe(page, { checkout, folder: join(folder, name) })
    const different = run.steps.filter(
      ({ expected }, index) =>
        expected !== null && comparable(expected) !== comparable(run.outputs[index] ?? ''),
    )
    console.log(
      `${name}: ${run.failure ?? (different.length === 0 ? 'as it says' : `${different.length} steps differ`)}`,
    )
    if (run.failure === null && values.write)
      writeFileSync(join(RECIPES, name), withOutputs(page, run.outputs))
    else for (const { commands } of different) console.log(`\n${commands}`)
    if (run.failure !== null || (different.length > 0 && !values.write)) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
