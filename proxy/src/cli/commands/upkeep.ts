import { z } from 'zod'
import { CliError, EXIT } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { terminalLine } from '../text-layout.ts'

export const addUpkeepCommands: CommandGroup = (program, context) => {
  program
    .command('doctor')
    .description('tries every part for real and says what came back, and which walls stand')
    .action(async () => {
      const report = await context.client.call('runDoctor')
      const { style } = context.terminal
      await context.show(report, () =>
        report.checks
          .map((check) => {
            const mark = !check.ok
              ? style.red('fail')
              : check.warning
                ? style.yellow('warn')
                : style.green('ok  ')
            return `${mark}  ${terminalLine(check.name)}: ${terminalLine(check.said)} (${check.duration_ms} ms)`
          })
          .join('\n'),
      )
      const failed = report.checks.filter((check) => !check.ok)
      if (!report.ok) {
        const names = failed.map((check) => terminalLine(check.name)).join(', ')
        throw new CliError(
          'failed',
          EXIT.failed,
          `${failed.length} of ${report.checks.length} checks failed: ${names}.`,
        )
      }
    })

  program
    .command('status')
    .description('how the daemon is')
    .action(async () => {
      const { style } = context.terminal
      const status = await context.client.call('readStatus').catch((error: unknown) => startingOf(error))
      if ('starting' in status) {
        const { version, pid } = status.starting
        await context.show(
          { status: 'starting', version, pid },
          () => `${style.yellow('starting')}  oauth3 ${version}, pid ${pid}`,
        )
        return
      }
      await context.show(status, () =>
        [
          `${status.status === 'ok' ? style.green('ok') : style.yellow(status.status)}  oauth3 ${status.version}, pid ${status.pid}, up ${Math.round(status.uptime_s)} s`,
          `${status.url} · telegram ${status.telegram} · database ${status.database} (${status.database_engine}) · disk ${status.disk} · sandbox ${status.sandbox} · ${status.waiting} waiting · ${status.running} running`,
          ...status.notes.map((note) => style.yellow(terminalLine(note))),
        ].join('\n'),
      )
    })
}

const startingDetails = z.object({ version: z.string(), pid: z.int() })

/** What a daemon says that does not serve commands yet; every other error is thrown on. */
function startingOf(error: unknown): { readonly starting: z.infer<typeof startingDetails> } {
  const details = error instanceof CliError && error.code === 'starting' ? error.details : undefined
  const parsed = startingDetails.safeParse(details)
  if (!parsed.success) throw error
  return { starting: parsed.data }
}
