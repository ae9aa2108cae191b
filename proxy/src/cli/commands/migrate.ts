import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { counted, terminalLine } from '../text-layout.ts'

/** Handed in by main.ts; throws CliError. */
export interface MigratePrograms {
  migrate(to: string, options: MigrateOptions): Promise<MigrateAnswer>
}

export interface MigrateOptions {
  readonly allowBrokenAudit: boolean
  readonly onProgress: (progress: MigrateProgress) => void
}

interface MigrateProgress {
  readonly step: 'schema' | 'copy' | 'compare' | 'audit' | 'publish'
  readonly table: string
  readonly rows: number
  readonly of: number
}

interface MigrateAnswer {
  readonly from: string
  readonly to: string
  readonly file: string | null
  readonly rows: Readonly<Record<string, number>>
  readonly auditHeads: readonly { readonly tenant: string; readonly id: number; readonly hash: string }[]
  /** `entry` null where it could not be verified. */
  readonly auditProblems: readonly {
    readonly tenant: string
    readonly entry: number | null
    readonly reason: string
  }[]
}

/** A table with more rows is told of on its way. */
const TOLD_EVERY_ROWS = 50_000

export function addMigrateCommand(
  program: Command,
  context: CommandContext,
  programs: MigratePrograms,
): void {
  program
    .command('migrate')
    .description('copy the database into another one, PostgreSQL or SQLite, while no daemon runs')
    .requiredOption(
      '--to <database>',
      'an empty PostgreSQL database, postgres://…; a new file; - for standard input',
    )
    .option('--allow-broken-audit', 'copy an audit that does not verify as it is, instead of refusing')
    .addHelpText(
      'after',
      helpTexts(
        paragraph(
          'Every row is compared, and every audit verified with its key, before the copy becomes the database. Ended anywhere before that, nothing has happened: run it ' +
            'again. The database that is copied stays as it is, in the newest schema. An address with a password goes on standard ' +
            'input; one without takes it from PGPASSWORD or ~/.pgpass.',
        ),
        examples(
          [
            'oauth3 migrate --to postgres://oauth3@db.internal/oauth3',
            'then set DATABASE_URL, and start the daemon',
          ],
          ['oauth3 migrate --to - < address', 'from standard input'],
          ['oauth3 migrate --to ./data/from-postgres.db', 'back, with DATABASE_URL set as the daemon has it'],
        ),
      ),
    )
    .action(async ({ to, allowBrokenAudit = false }: { to: string; allowBrokenAudit?: boolean }) => {
      const done = await programs.migrate(to, { allowBrokenAudit, onProgress: tell(context) })
      const rows = Object.values(done.rows).reduce((sum, count) => sum + count, 0)
      const answer = {
        ...{ from: done.from, to: done.to, file: done.file, rows: done.rows },
        audit_heads: done.auditHeads,
        audit_problems: done.auditProblems,
      }
      await context.show(answer, () =>
        [
          `${counted(rows, 'row')} copied from ${done.from} to ${done.file ?? done.to}, each equal to its original`,
          ...done.auditHeads.map(({ tenant, id, hash }) => `audit of ${tenant}: entry ${id}, head ${hash}`),
          ...done.auditProblems.map(
            ({ tenant, entry, reason }) =>
              `THE AUDIT OF ${tenant} DOES NOT VERIFY${entry === null ? '' : `, from entry ${entry}`}: ${reason}`,
          ),
          done.file === null
            ? 'Set DATABASE_URL to this address and start the daemon; the key and the archives of the audit stay where they are.'
            : `Set DB_PATH to ${done.file}, take DATABASE_URL away and start the daemon; move the key beside it where OAUTH3_KEY_FILE does not say where it is.`,
          'What was copied stays: keep it as a backup, and start no daemon on it.',
        ]
          .map(terminalLine)
          .join('\n'),
      )
    })
}

/** A line for each table that has rows, and for every so many of them. */
function tell(context: CommandContext): (progress: MigrateProgress) => void {
  let told = 0
  return ({ step, table, rows, of }) => {
    if (step === 'publish') {
      context.terminal.note('all rows are equal; the copy becomes the database')
      return
    }
    if (step === 'schema') {
      context.terminal.note(terminalLine(`schema ${table}: statement ${rows} of ${of}`))
      return
    }
    if (rows < of && rows - told < TOLD_EVERY_ROWS) return
    told = rows < of ? rows : 0
    context.terminal.note(terminalLine(`${step} ${table}: ${rows} of ${of}`))
  }
}
