import Docker from 'dockerode'
import { buildImages, IMAGE_NAMES } from '../src/sandbox/images/index.ts'
import { readCommandLine, refuse } from './command-line.ts'

const USAGE = {
  command: 'npm run images',
  does: `Builds the images of the sandbox into the Docker engine: ${IMAGE_NAMES.join(', ')}.
What is not there yet is fetched: Claude Code is some 130 MB, OpenClaw 200 MB, a browser 1 GB.`,
  options: {
    only: { type: 'string', takes: 'deno,node', says: 'these alone' },
    without: { type: 'string', takes: 'browser', says: 'all but these' },
    base: { type: 'string', takes: 'NAME', says: 'the image that the runtimes are taken from' },
  },
} as const
const { values } = readCommandLine(USAGE)
const named = (option: 'only' | 'without'): string[] | undefined => {
  const names = values[option]?.split(',').map((name) => name.trim())
  const unknown = names?.find((name) => !(IMAGE_NAMES as readonly string[]).includes(name))
  return unknown === undefined ? names : refuse(USAGE, `--${option}: there is no image ${unknown}`)
}
const without = named('without') ?? []
try {
  await buildImages({
    docker: new Docker(),
    base: values.base,
    only: (named('only') ?? IMAGE_NAMES).filter((name) => !without.includes(name)),
    log: (line) => console.log(line),
  })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
