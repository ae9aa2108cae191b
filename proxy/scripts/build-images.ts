/**
 * `npm run images [-- --base NAME] [--only deno,node] [--without claude]`: builds the images into the Docker engine. `claude`
 * fetches the Claude Code CLI, some 130 MB, and `openclaw` OpenClaw, some 200 MB, when they are not there yet.
 */
import { parseArgs } from 'node:util'
import Docker from 'dockerode'
import { buildImages, IMAGE_NAMES } from '../src/sandbox/images/index.ts'

const { values } = parseArgs({
  options: { base: { type: 'string' }, only: { type: 'string' }, without: { type: 'string' } },
})
const named = (list: string | undefined) => list?.split(',').map((name) => name.trim())
const without = named(values.without) ?? []
try {
  await buildImages({
    docker: new Docker(),
    base: values.base,
    only: (named(values.only) ?? IMAGE_NAMES).filter((name) => !without.includes(name)),
    log: (line) => console.log(line),
  })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
