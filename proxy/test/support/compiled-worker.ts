import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

/**
 * The entry of a worker as an installation has it: JavaScript, for which no thread loads Node's type stripping. Its folder goes
 * when the value is disposed of.
 */
export async function compiledWorker(source: URL): Promise<Disposable & { readonly file: URL }> {
  const dir = mkdtempSync(join(tmpdir(), 'oauth3-worker-'))
  const file = join(dir, 'worker.mjs')
  await using build = await rolldown({ input: fileURLToPath(source), platform: 'node' })
  await build.write({ file, format: 'esm' })
  return {
    file: pathToFileURL(file),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}
