import type { Command } from 'commander'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { counted, terminalLine } from '../text-layout.ts'

/** Work on the files and the engine themselves, handed in by main.ts; each throws CliError. */
export interface InstallationPrograms {
  backup(file: string): Promise<BackupAnswer>
  restore(file: string): Promise<RestoreAnswer>
  uninstall(): Promise<UninstallAnswer>
}

interface BackupAnswer {
  readonly file: string | null
  readonly bytes: number
  readonly key_fingerprint: string
  readonly archives: { readonly folder: string; readonly files: number }
  readonly run_bodies: { readonly folder: string; readonly files: number }
}

interface RestoreAnswer {
  readonly database: string
  readonly aside: string | null
  readonly key_fingerprint: string
  readonly made_at: string | null
}

interface UninstallAnswer extends Disposable {
  readonly plan: {
    readonly containers: readonly string[]
    readonly volumes: readonly string[]
    readonly images: readonly string[]
    readonly files: { readonly where: string; readonly machines: number } | null
    readonly state: readonly string[]
    readonly engine_problem: string | null
  }
  remove(options: { readonly state: boolean; readonly files: boolean }): Promise<readonly string[]>
}

export function addInstallationCommands(
  program: Command,
  context: CommandContext,
  programs: InstallationPrograms,
): void {
  program
    .command('backup <file>')
    .description('write the whole database into one file, while the daemon runs or not')
    .addHelpText(
      'after',
      helpTexts(
        paragraph(
          'The master key is not in it: back that up elsewhere. The fingerprint says which key opens the backup.',
        ),
        examples(
          ['oauth3 backup /media/elsewhere/oauth3-backup.db', 'a new file; nothing is overwritten'],
          ['oauth3 backup - > oauth3-backup.db', 'to standard output, as from a container'],
        ),
      ),
    )
    .action(async (file: string) => {
      const made = await programs.backup(file)
      const lines = [
        `${made.file === null ? 'Written' : `${made.file} written`}: ${counted(made.bytes, 'byte')}, opened by the master key ${made.key_fingerprint}`,
        ...(made.archives.files === 0
          ? []
          : [
              `${counted(made.archives.files, 'archive')} of the audit in ${made.archives.folder} not in it: copy the folder`,
            ]),
        ...(made.run_bodies.files === 0
          ? []
          : [
              `${counted(made.run_bodies.files, 'file')} of runs of apps in ${made.run_bodies.folder} not in it: copy the folder to keep results, sessions and uploads`,
            ]),
      ]
      // Standard output is the backup itself.
      if (made.file === null) context.terminal.note(lines.map(terminalLine).join('\n'))
      else await context.show(made, () => lines.map(terminalLine).join('\n'))
    })

  program
    .command('restore <file>')
    .description('put a backup in the place of the database, while no daemon runs')
    .addHelpText(
      'after',
      helpTexts(
        paragraph(
          'Refused, with nothing changed, when a daemon runs, when the backup is not whole, and when the master key here does ' +
            'not open it. What stood there before is kept beside it.',
        ),
        examples(
          ['oauth3 restore /media/elsewhere/oauth3-backup.db', 'then start the daemon'],
          ['oauth3 restore - < oauth3-backup.db', 'from standard input, as into a container'],
        ),
      ),
    )
    .action(async (file: string) => {
      const restored = await programs.restore(file)
      await context.show(restored, () =>
        [
          `${restored.database} restored${restored.made_at === null ? '' : ` as of ${restored.made_at}`}, opened by the master key ${restored.key_fingerprint}`,
          ...(restored.aside === null ? [] : [`what was there before: ${restored.aside}`]),
          'What was approved in it and had not run runs when the daemon starts: look at oauth3 pending --all and oauth3 trust list.',
        ]
          .map(terminalLine)
          .join('\n'),
      )
    })

  program
    .command('uninstall')
    .description('say what OAuth3 has made on this machine, and remove it when told to')
    .option('--state', 'the database, the audit and its archives, and the master key as well')
    .option('--files', 'what is kept in OBJECT_STORE_URL of hosted agents that sleep as well')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      helpTexts(
        paragraph(
          "Removes this daemon's containers and volumes, those of hosted agents among them, and the sandbox images, which other daemons on the engine may use too. The program's " +
            'own folder is yours to delete. With docker-compose: docker-compose down --rmi all, and -v for the state.',
        ),
        examples(
          ['oauth3 uninstall', 'containers, volumes and images; asks first'],
          [
            'oauth3 uninstall --state --files',
            'everything, for good: a backup has the state, and no files of hosted agents',
          ],
        ),
      ),
    )
    .action(async (options: { state?: boolean; files?: boolean; yes?: boolean }) => {
      using open = await programs.uninstall()
      const { plan } = open
      const state = options.state === true
      const files = options.files === true
      const { terminal } = context
      terminal.note(listOf(plan, state, files).map(terminalLine).join('\n'))
      if (plan.engine_problem !== null && !state)
        throw new CliError(
          'failed',
          EXIT.failed,
          'Nothing was removed; start the engine, or set DOCKER_HOST.',
        )
      if (options.yes !== true) {
        if (!terminal.isInteractive)
          throw usageError('Nobody can be asked here, so nothing was removed; say --yes if you mean it.')
        const isMeant =
          (await terminal.confirm('Remove these?')) &&
          (!files || (await terminal.confirm('The files of hosted agents too? Nothing brings them back.'))) &&
          (!state || (await terminal.confirm('The state and the key too? Nothing brings them back.')))
        if (!isMeant) throw new CliError('failed', EXIT.failed, 'Nothing was removed.')
      }
      const stayed = await open.remove({ state, files })
      await context.show({ ...plan, state: state ? plan.state : [], stayed }, () =>
        stayed.length === 0
          ? 'Removed.'
          : ['Removed, but for:', ...stayed.map((line) => `  ${terminalLine(line)}`)].join('\n'),
      )
    })
}

function listOf(plan: UninstallAnswer['plan'], withState: boolean, withFiles: boolean): string[] {
  const part = (title: string, names: readonly string[]): string[] => [
    `${title}: ${names.length === 0 ? 'none' : ''}`.trim(),
    ...names.map((name) => `  ${name}`),
  ]
  return [
    ...(plan.engine_problem === null
      ? [
          ...part('containers', plan.containers),
          ...part('volumes, with files of hosted agents that are nowhere else', plan.volumes),
          ...part('images', plan.images),
        ]
      : [
          `The Docker engine does not answer, so its containers, volumes and images stay: ${plan.engine_problem}`,
        ]),
    ...part(
      withFiles ? 'files of hosted agents, for good' : 'files of hosted agents, which stay without --files',
      filesOf(plan, withState && !withFiles),
    ),
    ...part(withState ? 'state, for good' : 'state, which stays without --state', plan.state),
  ]
}

function filesOf({ files }: UninstallAnswer['plan'], isLocked: boolean): string[] {
  if (files === null) return ['the database does not say which are this daemon’s']
  if (files.machines === 0) return []
  const lost = isLocked ? '; nobody can read them once the key is gone' : ''
  return [`${counted(files.machines, 'hosted agent')} in ${files.where}${lost}`]
}
