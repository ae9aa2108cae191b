import type Docker from 'dockerode'
import { expect, it } from 'vitest'
import { DockerSandbox } from '../runner/docker/docker-sandbox.ts'

/** An engine without images; `builders` are running containers that make them. */
function engine(builders: readonly object[]) {
  const asked: unknown[] = []
  const docker = {
    getImage: () => ({ inspect: () => Promise.reject(Object.assign(new Error('no'), { statusCode: 404 })) }),
    info: async () => ({}),
    version: async () => ({}),
    listContainers: async ({ filters }: { filters: unknown }) => {
      asked.push(filters)
      return builders
    },
  }
  return { docker: docker as unknown as Docker, asked }
}

const open = (docker: Docker) =>
  new DockerSandbox({ docker, instanceId: 'building', poolSize: 0, endpoints: null })

it('images that a service of docker-compose builds right now are on their way', async () => {
  const { docker, asked } = engine([{}])
  await using sandbox = open(docker)
  const status = await sandbox.status()
  expect(status).toMatchObject({ kind: 'unavailable', cause: 'building' })
  expect(status.notes.join()).toMatch(/are being built$/)
  expect(asked).toEqual([{ label: ['oauth3.role=image-build'], status: ['running'] }])
})

it('images that nobody builds are for a person to build', async () => {
  await using sandbox = open(engine([]).docker)
  const status = await sandbox.status()
  expect(status.cause).toBeUndefined()
  expect(status.notes.join()).toMatch(/run: npm run images$/)
})
