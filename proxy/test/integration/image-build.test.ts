/** What builds of images leave in the engine. */
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { afterAll, describe, expect, it } from 'vitest'
import { createStepReader, LABEL_RUNTIME, removeLeftovers } from '../../src/sandbox/images/image-leftovers.ts'
import { buildImages } from '../../src/sandbox/images/index.ts'
import { tarStream } from '../../src/sandbox/images/tar.ts'
import { dockerOrSkip } from '../support/docker.ts'

const availability = await dockerOrSkip({ images: ['quickjs'] })
const RUNTIME = `leftovers-${process.pid}`
const TAG = `oauth3-test-leftovers:${process.pid}`

describe.skipIf(!availability.available)('a build of an image', () => {
  const docker = new Docker()
  const untagged = async () =>
    new Set((await docker.listImages({ filters: { dangling: ['true'] } })).map(({ Id }) => Id))

  /** Two stages, as every sandbox image has. */
  async function build(content: string): Promise<ReadonlySet<string>> {
    const lines = [
      'FROM debian:bookworm-slim AS lends',
      `RUN echo ${content} >/lent`,
      'FROM scratch',
      'COPY --from=lends /lent /',
    ]
    const files = [{ name: 'Dockerfile', source: Buffer.from(lines.join('\n')) }]
    const events = await docker.buildImage(Readable.from(tarStream(files)), {
      t: TAG,
      networkmode: 'none',
      forcerm: true,
      labels: { [LABEL_RUNTIME]: RUNTIME },
    })
    const steps = createStepReader()
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        events,
        (error) => (error ? reject(error) : resolve()),
        ({ stream }: { stream?: string }) => steps.read(stream ?? ''),
      )
    })
    return steps.ids
  }

  afterAll(async () => {
    await docker.getImage(TAG).remove({ force: true })
  })

  it('leaves neither layers of its stages nor the image that had its tag before', async () => {
    await removeLeftovers(docker, RUNTIME, await build(`first-${process.pid}`))
    const first = (await docker.getImage(TAG).inspect()).Id
    const before = await untagged()
    const steps = await build(`second-${process.pid}`)
    const left = [...(await untagged())].filter((id) => !before.has(id))
    expect(left.length).toBeGreaterThan(1)
    expect(left).toContain(first)

    expect(await removeLeftovers(docker, RUNTIME, steps)).toEqual([])
    expect(left.filter((id) => steps.has(id.slice(7, 19)) || id === first)).not.toEqual([])
    const now = await untagged()
    expect(left.filter((id) => now.has(id) && (steps.has(id.slice(7, 19)) || id === first))).toEqual([])
  })

  it('is not made again while nothing of it changed', async () => {
    const lines: string[] = []
    await buildImages({ docker, only: ['quickjs'], log: (line) => lines.push(line) })
    expect(lines.some((line) => line.startsWith('up to date: '))).toBe(true)
    expect(lines.filter((line) => line.startsWith('building '))).toEqual([])
  })
})
