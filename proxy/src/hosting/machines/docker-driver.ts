/** Machines as containers of the Docker engine: each with a network namespace, a volume and an endpoint's directory of its own. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import {
  answered,
  CALL_TIMEOUT_MS,
  createHostPaths,
  engineStatus,
  SANDBOX_USER_ID,
  type SeccompChoice,
} from '../../sandbox/engine/index.ts'
import { SandboxUnavailable } from '../../sandbox/index.ts'
import { createDockerFiles } from './docker-files.ts'
import {
  HOME,
  homeArchive,
  labelFilter,
  machineConfig,
  phaseOf,
  STATE_MOUNT,
  volumeName,
} from './docker-machine.ts'
import { readProcesses, TOP_ARGUMENTS } from './docker-processes.ts'
import type { MachineKey, MachineRef } from './machine.ts'
import { CONTROL_SOCKET, type Held, isUp, type MachineDriver, type Phase } from './machine-driver.ts'
import { heldOf, incarnationName, isOf, keyLabels, keyOf, LABEL_WAITS } from './machine-labels.ts'

export interface DockerDriverOptions {
  readonly docker: Docker
  readonly instanceId: string
  /** Holds a directory for each machine; as short as can be, since a socket's path has at most 107 bytes. */
  readonly endpointFolder: string
  readonly ociRuntime?: string | undefined
  readonly seccomp?: SeccompChoice | undefined
  readonly sysctls?: Readonly<Record<string, string>> | undefined
}

const RECONNECT_MS = 1_000
const PAUSE_ATTEMPTS = 5
/** Between two words that it shall end. */
const ASK_AGAIN_MS = { first: 1_000, longest: 30_000 }

export function createDockerDriver(options: DockerDriverOptions): MachineDriver {
  const { docker, instanceId, endpointFolder } = options
  const hostPaths = createHostPaths(docker)
  const folderOf = ({ machine }: MachineKey): string => join(endpointFolder, machine)
  const containerOf = (ref: MachineRef): Docker.Container =>
    docker.getContainer(incarnationName(instanceId, ref))

  /** No call is waited for without end, whoever asks. */
  const ask = <T>(
    signal: AbortSignal,
    call: (abortSignal: AbortSignal) => Promise<T>,
    timeoutMs = CALL_TIMEOUT_MS,
  ): Promise<T> => answered(timeoutMs, (late) => call(AbortSignal.any([signal, late])))

  async function observe(ref: MachineRef, signal: AbortSignal): Promise<Phase> {
    try {
      const { State, Config } = await ask(signal, (abortSignal) => containerOf(ref).inspect({ abortSignal }))
      if (!isOf(Config.Labels, instanceId, ref)) throw new Error('its name is another container’s')
      return phaseOf(State.Status)
    } catch (error) {
      if (engineStatus(error) === 404) return 'absent'
      throw error
    }
  }

  /** Does it and looks: only where it still stands where the act would have applied was the engine's refusal one. */
  async function act(
    ref: MachineRef,
    signal: AbortSignal,
    from: readonly Phase[],
    call: (container: Docker.Container, abortSignal: AbortSignal) => Promise<unknown>,
    timeoutMs?: number,
  ): Promise<Phase> {
    let refusal: unknown
    try {
      await ask(signal, (abortSignal) => call(containerOf(ref), abortSignal), timeoutMs)
    } catch (error) {
      if (engineStatus(error) === undefined) throw error
      refusal = error
    }
    const phase = await observe(ref, signal)
    if (refusal !== undefined && from.includes(phase)) throw refusal
    return phase
  }

  /** A freezer gives up on a process that just begets others; a moment later it may not. */
  async function pause(ref: MachineRef, signal: AbortSignal): Promise<Phase> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await act(ref, signal, ['running'], (container, abortSignal) =>
          container.pause({ abortSignal }),
        )
      } catch (error) {
        if (attempt === PAUSE_ATTEMPTS || engineStatus(error) === undefined) throw error
        await delay(50 * 2 ** attempt, undefined, { signal })
      }
    }
  }

  /** The kernel drops a signal that a first process has no handler for yet, and the engine sends one alone: it is sent again. */
  async function askToEnd(ref: MachineRef, signal: AbortSignal): Promise<void> {
    for (let pauseMs = ASK_AGAIN_MS.first; ; pauseMs = Math.min(2 * pauseMs, ASK_AGAIN_MS.longest)) {
      await delay(pauseMs, undefined, { signal, ref: false })
      await ask(signal, (abortSignal) => containerOf(ref).kill({ signal: 'SIGTERM', abortSignal })).catch(
        () => {},
      )
    }
  }

  async function makeEndpoint(key: MachineKey): Promise<string> {
    const folder = folderOf(key)
    await mkdir(folder, { recursive: true, mode: 0o711 })
    // Whatever the umask: the machine's user goes through it to a socket.
    await chmod(folder, 0o711)
    const enginePath = await hostPaths.toEngine(folder)
    if (enginePath === null) throw new SandboxUnavailable(`The engine cannot see ${folder}.`)
    return enginePath
  }

  async function makeContainer(config: Docker.ContainerCreateOptions, signal: AbortSignal): Promise<void> {
    try {
      await ask(signal, (abortSignal) => docker.createContainer({ ...config, abortSignal }))
    } catch (error) {
      // One of that name is there, or just comes to be; whose it is shows when it is looked at.
      if (engineStatus(error) !== 409) throw error
    }
  }

  async function removeContainer(id: string, signal: AbortSignal): Promise<void> {
    try {
      await ask(signal, (abortSignal) =>
        docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
      )
    } catch (error) {
      if (engineStatus(error) !== 404) throw error
    }
  }

  const listContainers = (signal: AbortSignal, key?: MachineKey): Promise<Docker.ContainerInfo[]> =>
    ask(signal, (abortSignal) =>
      docker.listContainers({ all: true, filters: { label: labelFilter(instanceId, key) }, abortSignal }),
    )
  const listVolumes = async (signal: AbortSignal, key?: MachineKey): Promise<Docker.VolumeInspectInfo[]> =>
    (
      await ask(signal, (abortSignal) =>
        docker.listVolumes({ filters: { label: labelFilter(instanceId, key) }, abortSignal }),
      )
    ).Volumes ?? []

  return {
    kind: 'docker',
    capabilities: { pauses: true, tells: true },
    async create(ref, what, signal) {
      const endpoint = await makeEndpoint(ref)
      // The same again where there is one of that name.
      await ask(signal, (abortSignal) =>
        docker.createVolume({
          Name: volumeName(instanceId, ref),
          Labels: keyLabels(instanceId, ref),
          abortSignal,
        }),
      )
      const { ociRuntime, seccomp, sysctls } = options
      await makeContainer(
        machineConfig({ ref, instanceId, what, endpoint, ociRuntime, seccomp, sysctls }),
        signal,
      )
      const phase = await observe(ref, signal)
      // A new volume is root's. Once it was started this has been done.
      if (phase === 'created')
        await ask(signal, (abortSignal) =>
          containerOf(ref).putArchive(homeArchive(), { path: STATE_MOUNT, abortSignal }),
        )
      return phase
    },
    start: (ref, signal) =>
      act(ref, signal, ['created', 'stopped'], (container, abortSignal) => container.start({ abortSignal })),
    pause,
    unpause: (ref, signal) =>
      act(ref, signal, ['paused'], (container, abortSignal) => container.unpause({ abortSignal })),
    async stop(ref, graceMs, signal) {
      const phase = await observe(ref, signal)
      if (phase !== 'running' && phase !== 'paused') return phase
      // Signals wait in the freezer: it goes on first, so that it hears of its end and can be killed.
      if (phase === 'paused')
        await act(ref, signal, ['paused'], (container, abortSignal) => container.unpause({ abortSignal }))
      const t = Math.ceil(graceMs / 1_000)
      const ended = new AbortController()
      askToEnd(ref, AbortSignal.any([signal, ended.signal])).catch(() => {})
      try {
        return await act(
          ref,
          signal,
          ['running', 'paused'],
          (container, abortSignal) => container.stop({ t, abortSignal }),
          t * 1_000 + CALL_TIMEOUT_MS,
        )
      } finally {
        ended.abort()
      }
    },
    async remove(ref, signal) {
      await removeContainer(incarnationName(instanceId, ref), signal)
      return observe(ref, signal)
    },
    async purge(key, signal) {
      for (const { Id } of await listContainers(signal, key)) await removeContainer(Id, signal)
      await rm(folderOf(key), { recursive: true, force: true })
      // The last to go: by it the rest is found again.
      for (const { Name } of await listVolumes(signal, key))
        await ask(signal, (abortSignal) => docker.getVolume(Name).remove({ abortSignal })).catch(
          (error: unknown) => {
            if (engineStatus(error) !== 404) throw error
          },
        )
    },
    observe,
    async hasImage(image, signal) {
      try {
        await ask(signal, () => docker.getImage(image).inspect())
        return true
      } catch (error) {
        if (engineStatus(error) === 404) return false
        throw error
      }
    },
    async waits(ref, signal) {
      // Labels of an image are those of its containers.
      const { Config } = await ask(signal, (abortSignal) => containerOf(ref).inspect({ abortSignal }))
      return isOf(Config.Labels, instanceId, ref) && Config.Labels[LABEL_WAITS] === '1'
    },
    async list(signal, key) {
      const containers = await listContainers(signal, key)
      const volumes = await listVolumes(signal, key)
      const held = containers.flatMap(({ Labels, State }) => heldOf(Labels, phaseOf(State)) ?? [])
      const files = volumes.flatMap(({ Labels }): Held[] => {
        const of = keyOf(Labels)
        return of === undefined ? [] : [{ ...of, generation: null, phase: 'absent' }]
      })
      return [...held, ...files]
    },
    async processes(ref, signal) {
      // By its name alone another's might be looked at.
      if (!isUp(await observe(ref, signal))) return []
      try {
        return readProcesses(
          await ask(signal, (abortSignal) => containerOf(ref).top({ ps_args: TOP_ARGUMENTS, abortSignal })),
        )
      } catch (error) {
        // It ended in between.
        if (!isUp(await observe(ref, signal))) return []
        throw error
      }
    },
    files: (ref) =>
      createDockerFiles({
        container: containerOf(ref),
        home: `${STATE_MOUNT}/${HOME}`,
        owner: SANDBOX_USER_ID,
        ask,
        // By its name alone another's might be reached.
        isThere: async (signal) => (await observe(ref, signal)) !== 'absent',
      }),
    address: (ref) => ({ socketPath: join(folderOf(ref), CONTROL_SOCKET) }),
    watch(changed) {
      const closing = new AbortController()
      void followEvents(docker, labelFilter(instanceId), closing.signal, changed)
      return { [Symbol.dispose]: () => closing.abort() }
    },
  }
}

/** Until the signal aborts. What happened while there was no stream nobody tells, so each new one says that anything may have. */
async function followEvents(
  docker: Docker,
  label: string[],
  signal: AbortSignal,
  changed: (key: MachineKey | null) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const events = await docker.getEvents({
        filters: { type: ['container'], label, event: ['die', 'destroy', 'pause', 'unpause', 'start'] },
        abortSignal: signal,
      })
      changed(null)
      let rest = ''
      for await (const chunk of events) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) changed(keyOf(attributesOf(line)) ?? null)
      }
    } catch {
      // It is away; ticks go on without it.
    }
    await delay(RECONNECT_MS, undefined, { signal, ref: false }).catch(() => {})
  }
}

function attributesOf(line: string): Record<string, string> | undefined {
  try {
    return (JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } }).Actor?.Attributes
  } catch {
    return undefined
  }
}
