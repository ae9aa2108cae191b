/** The OCI runtime that containers are started with: whether the engine knows it, and what it adds. */
import type { CheckResult } from '../../kernel/index.ts'
import type { EngineInfo } from './engine-info.ts'

type Known = Pick<EngineInfo, 'DefaultRuntime' | 'Runtimes' | 'ServerVersion'>

/** From this release on an engine starts containerd's shims by their full name, whatever its list says. */
const SHIMS_SINCE = 23

const isShimName = (name: string): boolean => /^[^./][^/]*\.[^/]*$/.test(name)

/** Why a container cannot be started with the runtime, for a person; undefined when it can. */
export function unknownRuntime(info: Known, name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const known = Object.keys(info.Runtimes ?? {})
  if (known.includes(name)) return undefined
  if (isShimName(name) && Number.parseInt(info.ServerVersion ?? '', 10) >= SHIMS_SINCE) return undefined
  return `The Docker engine does not know the runtime ${name} of OAUTH3_SANDBOX_RUNTIME; known: ${known.toSorted().join(', ') || 'none'}`
}

export interface RuntimeInUse {
  /** As the engine calls it. */
  readonly name: string
  /** The program behind it: runc, crun, runsc, kata, or its own name where that is none of these. */
  readonly program: string
  readonly version: string | undefined
  readonly arguments: readonly string[]
}

const PROGRAMS = ['crun', 'runsc', 'kata', 'runc']
const FEATURES = 'org.opencontainers.runtime-spec.features'
const VERSION_NOTES: Readonly<Record<string, string>> = {
  runc: 'org.opencontainers.runc.version',
  crun: 'run.oci.crun.version',
}

export function runtimeInUse(info: EngineInfo, ociRuntime: string | undefined): RuntimeInUse {
  const name = ociRuntime ?? info.DefaultRuntime ?? 'runc'
  const entry = info.Runtimes?.[name]
  const file = (entry?.path || entry?.runtimeType || name).split('/').at(-1) ?? name
  const program = PROGRAMS.find((known) => file.includes(known)) ?? file
  return {
    name,
    program,
    version: featureVersion(entry?.status?.[FEATURES], program) ?? ofEngine(info, name, program),
    arguments: entry?.runtimeArgs ?? [],
  }
}

/** The engine's list of components names its own runc, which an entry of another path need not be. */
function ofEngine(info: EngineInfo, name: string, program: string): string | undefined {
  const path = info.Runtimes?.[name]?.path ?? 'runc'
  return program === 'runc' && !path.includes('/') ? info.versions.get('runc') : undefined
}

function featureVersion(features: string | undefined, program: string): string | undefined {
  const note = VERSION_NOTES[program]
  if (features === undefined || note === undefined) return undefined
  try {
    const version = (JSON.parse(features) as { annotations?: Record<string, unknown> }).annotations?.[note]
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}

export function checkRuntime(info: EngineInfo, ociRuntime: string | undefined): CheckResult {
  const unknown = unknownRuntime(info, ociRuntime)
  if (unknown !== undefined)
    return { ok: false, said: `${unknown}. Register it in the engine's daemon.json, or change the setting` }
  const runtime = runtimeInUse(info, ociRuntime)
  const known = Object.keys(info.Runtimes ?? {}).toSorted()
  const from = ociRuntime === undefined ? "the engine's default" : 'set by OAUTH3_SANDBOX_RUNTIME'
  const said = `${runtime.name} (${from}); known: ${known.join(', ')}`
  if (runtime.program === 'kata')
    return {
      ok: true,
      warning: true,
      said: `${said}; a virtual machine each, but no unix socket leads out of it: code in it reaches no host`,
    }
  if (runtime.program !== 'runsc') return { ok: true, said }
  return opensHostSockets(runtime.arguments)
    ? { ok: true, said: `${said}; gVisor, a kernel of its own between code and host` }
    : {
        ok: true,
        warning: true,
        said: `${said}; gVisor without --host-uds=open in its runtimeArgs: code in it reaches no host`,
      }
}

function opensHostSockets(options: readonly string[]): boolean {
  return options.some((option, index) => {
    const given = /^--?host-uds(?:=(.*))?$/.exec(option)
    return given !== null && ['open', 'all'].includes(given[1] ?? options[index + 1] ?? '')
  })
}
