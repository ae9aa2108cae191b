/** What the engine tells about itself, read with care: any field may be missing in some release of it. */
import type Docker from 'dockerode'
import { z } from 'zod'
import { answered, CALL_TIMEOUT_MS } from '../engine/index.ts'

const component = z.object({ Name: z.string(), Version: z.string() })

const engineInfo = z.object({
  SecurityOptions: z.array(z.string()).nullish(),
  CgroupVersion: z.string().nullish(),
  CgroupDriver: z.string().nullish(),
  MemoryLimit: z.boolean().nullish(),
  SwapLimit: z.boolean().nullish(),
  CpuCfsQuota: z.boolean().nullish(),
  PidsLimit: z.boolean().nullish(),
  ServerVersion: z.string().nullish(),
  KernelVersion: z.string().nullish(),
  DefaultRuntime: z.string().nullish(),
  Runtimes: z
    .record(
      z.string(),
      z.object({
        path: z.string().nullish(),
        runtimeArgs: z.array(z.string()).nullish(),
        runtimeType: z.string().nullish(),
        status: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .nullish(),
})

export type EngineInfo = z.infer<typeof engineInfo> & {
  /** By the program's name: containerd, runc. */
  readonly versions: ReadonlyMap<string, string>
}

export async function readEngine(docker: Docker, timeoutMs = CALL_TIMEOUT_MS): Promise<EngineInfo> {
  const [info, version] = await answered(timeoutMs, () => Promise.all([docker.info(), docker.version()]))
  const parts = z.array(component).catch([]).parse(version.Components)
  return {
    ...engineInfo.parse(info),
    versions: new Map(parts.map(({ Name, Version }) => [Name, Version])),
  }
}
