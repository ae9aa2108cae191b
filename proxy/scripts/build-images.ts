/** `npm run images [-- --base NAME] [--only deno,node]`: builds the sandbox images into the Docker engine. */
import { parseArgs } from 'node:util'
import Docker from 'dockerode'
import { buildImages } from '../src/sandbox/images/index.ts'

const { values } = parseArgs({ options: { base: { type: 'string' }, only: { type: 'string' } } })
try {
  await buildImages({
    docker: new Docker(),
    base: values.base,
    only: values.only?.split(',').map((name) => name.trim()),
    log: (line) => console.log(line),
  })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
