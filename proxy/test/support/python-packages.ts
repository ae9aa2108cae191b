/** The image of the Python runtime with libraries of Debian's beside the standard one, for tests alone. */
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { tarStream } from '../../src/sandbox/images/tar.ts'
import { imageTag, RUNTIMES, type Runtime } from '../../src/sandbox/runtimes/runtimes.ts'

const PACKAGES = ['requests', 'httpx', 'aiohttp', 'websockets', 'boto3']

/** Builds it where the engine does not hold its layers yet, and gives its tag. */
export async function buildPythonWithPackages(docker: Docker): Promise<string> {
  const python = RUNTIMES.find(({ name }) => name === 'python') as Runtime
  const tag = imageTag(python).replace(/:(.+)$/, '-packages:$1')
  const dockerfile = `
FROM debian:bookworm-slim AS packages
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \\
  ${PACKAGES.map((name) => `python3-${name}`).join(' ')} >/dev/null
FROM ${imageTag(python)}
COPY --from=packages /usr/lib/python3/dist-packages /usr/lib/python3/dist-packages
`
  const context = tarStream([{ name: 'Dockerfile', source: Buffer.from(dockerfile) }])
  const events = await docker.buildImage(Readable.from(context), { t: tag, forcerm: true })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      events,
      (error) => (error ? reject(error) : resolve()),
      ({ error }: { readonly error?: string }) => {
        if (error !== undefined) reject(new Error(`${tag} could not be built: ${error}`))
      },
    )
  })
  return tag
}
