/** Engines of Docker that go away, hang and come back, and what a test asks of the real one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { until } from './api-kit.ts'
import { patience } from './pace.ts'

/** A socket in front of the engine's that holds back what `passes` refuses, until it is released. */
export async function createMuteEngine(passes: (head: string) => boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'oauth3-mute-'))
  const path = join(folder, 'docker.sock')
  const open = new Set<Socket>()
  const held: (() => void)[] = []
  const server = createServer({ allowHalfOpen: true }, (near) => {
    open.add(near)
    near.on('error', () => {}).on('close', () => open.delete(near))
    const far = connect({ path: '/var/run/docker.sock', allowHalfOpen: true })
    far.on('error', () => {}).on('close', () => near.destroy())
    near.on('close', () => far.destroy()).on('end', () => far.end())
    far.pipe(near)
    near.on('data', (chunk) => {
      if (passes(chunk.toString('latin1'))) {
        far.write(chunk)
        return
      }
      near.pause()
      held.push(() => {
        far.write(chunk)
        near.resume()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    path,
    release: () => {
      for (const forward of held.splice(0)) forward()
    },
    end: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A socket in front of the engine's that can be cut and mended. */
export async function createCable() {
  const folder = await mkdtemp(join(tmpdir(), 'oauth3-cable-'))
  const path = join(folder, 'docker.sock')
  const open = new Set<Socket>()
  let server: Server | undefined
  const mend = async () => {
    server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ path: '/var/run/docker.sock', allowHalfOpen: true })
      for (const end of [near, far]) {
        open.add(end)
        end
          .on('error', () => {})
          .on('close', () => {
            open.delete(end)
            near.destroy()
            far.destroy()
          })
      }
      near.pipe(far).pipe(near)
    })
    await new Promise<void>((resolve) => server?.listen(path, resolve))
  }
  const cut = () => {
    server?.close()
    for (const socket of open) socket.destroy()
  }
  await mend()
  return {
    path,
    mend,
    cut,
    end: async () => {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Of the instance, running or not. */
export const containersOf = async (instance: string): Promise<string[]> =>
  (
    await new Docker().listContainers({
      all: true,
      filters: { label: [`oauth3.instance=${instance}`] },
    })
  ).map(({ Id }) => Id)

/** Containers that wait for a run. */
export const warm = async (sandbox: Sandbox): Promise<number> => (await sandbox.status()).warm

/** A container's life takes longer than what `until` is patient for. */
export const untilSettled = (condition: () => Promise<boolean>): Promise<void> =>
  until(condition, patience(15_000))
