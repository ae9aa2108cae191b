/** `npm run images [-- --base NAME]`: builds every sandbox image into the Docker engine. */
import { parseArgs } from 'node:util'
import Docker from 'dockerode'
import { buildImages } from '../src/adapters/sandbox/index.ts'

const { values } = parseArgs({ options: { base: { type: 'string' } } })
try {
  await buildImages({ docker: new Docker(), base: values.base, log: (line) => console.log(line) })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
