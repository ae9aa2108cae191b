import { doctorReport, rotatedKeys, statusView } from '../../surfaces/admin-api/wire.ts'
import { adminPath } from '../admin-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { terminalLine } from '../text-layout.ts'
import { examples } from './shared.ts'

export const addUpkeepCommands: CommandGroup = (program, context) => {
  program
    .command('key')
    .description('the keys that seal the secrets')
    .command('rotate')
    .description('replace the data key and seal every secret anew, without downtime')
    .option('--master', 'replace the master key instead')
    .addHelpText(
      'after',
      examples(
        ['oauth3 key rotate', 'a new data key'],
        [
          'oauth3 key rotate --master',
          'a new key file; back it up afterwards (with a passphrase: put the new one into <file>.next first)',
        ],
      ),
    )
    .action(async (options: { master?: boolean }) => {
      const what = options.master ? 'master' : 'data'
      const done = await context.client.call(rotatedKeys, 'POST', adminPath('keys', 'rotate'), { what })
      await context.show(done, () =>
        done.what === 'master'
          ? 'The master key was replaced. Back up the new one now: older backups open with the older key.'
          : `The data key was replaced; secrets sealed anew: ${done.secrets ?? 0}.`,
      )
    })

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
          `telegram ${status.telegram} · database ${status.database} · sandbox ${status.sandbox} · ${status.waiting} waiting`,
          ...status.notes.map((note) => style.yellow(terminalLine(note))),
        ].join('\n'),
      )
    })
}
