import { doctorReport, statusView } from '../../surfaces/admin-api/wire.ts'
import { adminPath } from '../admin-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { terminalLine } from '../text-layout.ts'

export const addUpkeepCommands: CommandGroup = (program, context) => {
  program
    .command('doctor')
    .description('tries every part for real and says what came back, and which walls stand')
    .action(async () => {
      const report = await context.client.call(doctorReport, 'POST', adminPath('doctor'))
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
      const status = await context.client.call(statusView, 'GET', adminPath('status'))
      const { style } = context.terminal
      await context.show(status, () =>
        [
          `${status.status === 'ok' ? style.green('ok') : style.yellow('degraded')}  oauth3 ${status.version}, pid ${status.pid}, up ${Math.round(status.uptime_s)} s`,
          `${status.url} · telegram ${status.telegram} · database ${status.database} · disk ${status.disk} · sandbox ${status.sandbox} · ${status.waiting} waiting`,
          ...status.notes.map((note) => style.yellow(terminalLine(note))),
        ].join('\n'),
      )
    })
}
