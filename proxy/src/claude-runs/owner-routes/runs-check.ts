import type { DoctorCheck } from '../../kernel/index.ts'
import type { Apps } from '../apps/index.ts'
import type { RunRunner } from '../index.ts'

/** Whether apps can have prompts run: the image with the CLI, the port, and keys for what they may use. No model is asked. */
export function claudeRunsCheck({
  runner,
  apps,
  appsUrl,
  hasKey,
}: {
  /** Null while runs are off. */
  readonly runner: Pick<RunRunner, 'status'> | null
  readonly apps: Pick<Apps, 'list'>
  /** Null while nobody listens. */
  readonly appsUrl: () => string | null
  /** Whether a call to the provider could have a key, or needs none; or a seat. */
  readonly hasKey: (provider: string, isSeat: boolean) => boolean
}): DoctorCheck {
  return {
    name: 'runs of apps',
    async run() {
      if (runner === null) return { ok: true, said: 'off; CLAWDFORGE_PORT turns them on' }
      const { version, available, notes, warm } = await runner.status()
      const active = apps.list().filter(({ revokedAt }) => revokedAt === null)
      const url = appsUrl()
      const inVain = Map.groupBy(
        active.filter(({ provider, usesSeat }) => !hasKey(provider, usesSeat)),
        ({ provider, usesSeat }) => `${provider}${usesSeat ? ' --seat' : ''}`,
      )
      return {
        ok: available && url !== null,
        warning: inVain.size > 0,
        said: [
          url === null ? 'no port' : url,
          version === null ? 'no Claude Code' : `Claude Code ${version}, ${warm} warm`,
          `${active.length} app(s)`,
          ...[...inVain].map(
            ([what, some]) =>
              `no ${some[0]?.usesSeat ? 'seat' : 'key'} for ${some[0]?.provider}, which ${some.map(({ name }) => name).join(' and ')} may use: oauth3 key add ${what}`,
          ),
          ...notes,
        ].join('; '),
      }
    },
  }
}
