import { open, readFile, writeFile } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import {
  checkExport,
  RECEIPT_FIELDS,
  RECEIPT_PROBLEMS,
  trustedFingerprint,
  verifyReceipt,
  votesOf,
} from '../../audit/proof/index.ts'
import { CliError, EXIT } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { terminalLine } from '../text-layout.ts'
import { wholeNumber } from './shared.ts'

export const addReceiptCommands: CommandGroup = (program, context) => {
  const receipt = program.command('receipt').description('signed statements of verdicts')

  receipt
    .command('show')
    .description('a signed statement of the newest verdict on a request')
    .argument('<id>', 'the request, or the beginning of its id')
    .option('--row <row>', 'of the verdict in this row of the audit, where there are several', wholeNumber)
    .option('--out <file>', 'write it to a new file')
    .addHelpText(
      'after',
      examples(['oauth3 receipt show req_1f0c --out yes.receipt', 'to hand to whoever asks who allowed it']),
    )
    .action(async (id: string, { row, out }: { row?: number; out?: string }) => {
      const issued = await context.client.call('readReceipt', { params: { id }, query: { row } })
      if (out === undefined) return await context.show(issued, () => issued.text.trimEnd())
      await writeFile(out, issued.text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
        const why = error.code === 'EEXIST' ? 'it exists already' : (error.code ?? error.message)
        throw new CliError('failed', EXIT.failed, `${out} cannot be written: ${why}.`)
      })
      await context.show({ ...issued, file: out }, () => `${out}: signed by ${issued.key.fingerprint}`)
    })

  receipt
    .command('key')
    .description('the public key that receipts are signed with, to be handed to whoever verifies them')
    .action(async () => {
      const key = await context.client.call('readReceiptKey')
      await context.show(key, () => `${key.fingerprint}\n${key.verifier_key}\n${key.pem.trimEnd()}`)
    })

  receipt
    .command('verify')
    .description('checks a receipt without a daemon, on any machine')
    .argument('<file>', 'the receipt')
    .option('--key <key>', 'the fingerprint or verifier key that it must be signed by', keyOption)
    .option('--audit <file>', 'an export or archive of the audit that must hold its row')
    .addHelpText(
      'after',
      helpTexts(
        paragraph(UNTRUSTED),
        examples(
          ['oauth3 receipt verify yes.receipt --key sha256:…', 'signed by the key that you were given'],
          ['oauth3 receipt verify yes.receipt --audit audit.jsonl', 'and the audit has that verdict'],
        ),
      ),
    )
    .action(
      async (file: string, options: { key?: string; audit?: string }) => await verify(file, options, context),
    )
}

const UNTRUSTED =
  'Without --key it shows only that nobody changed the file since somebody signed it: anybody can make a key. Take the key from ' +
  '`oauth3 receipt key` or `oauth3 doctor` of the daemon that is asked about. Exit codes: 0 verified, 1 not, 2 usage.'

async function verify(
  file: string,
  options: { readonly key?: string; readonly audit?: string },
  context: CommandContext,
): Promise<void> {
  const verified = verifyReceipt(await readWhole(file), options.key ?? null)
  if (!verified.ok) return await refuse(verified.problem, RECEIPT_PROBLEMS[verified.problem], context)
  const { receipt, row, key, isTrusted } = verified
  const { audit } = options
  const held = audit === undefined ? null : await checkExport(linesOf(audit), row)
  if (held?.ok === false) return await refuse('not_in_audit', `${audit}: ${held.reason}.`, context)
  await context.show(
    {
      ...{ ok: true, trusted: isTrusted, key: key.fingerprint, audit_rows_behind: held?.rows ?? null },
      ...{ votes: votesOf(receipt), receipt },
    },
    () =>
      [
        isTrusted
          ? `Verified: signed by the key that you named.`
          : `Unchanged since it was signed, by a key that nobody vouches for: ${key.fingerprint}. Give the key that you trust with --key.`,
        ...(held === null
          ? []
          : [`The audit has it in row ${row.id}, and ${held.rows} rows go on from there.`]),
        ...RECEIPT_FIELDS.filter((field) => !HIDDEN.has(field)).map(
          (field) => `${field}: ${terminalLine(receipt[field])}`,
        ),
        ...votesOf(receipt).map((vote) => terminalLine(`yes: ${voteText(vote)}`)),
        ...(receipt.proof === '-' ? [] : [PROVED]),
      ].join('\n'),
  )
}

const PROVED =
  'proof: a passkey signed this very answer to this request; that it is this person’s is the issuer’s word'

const voteText = ({ by, name, channel, choice, proved }: ReturnType<typeof votesOf>[number]): string =>
  `${choice} by ${by}${name === null ? '' : ` (${name})`}, ${proved ? 'passkey' : channel}`

/** For programs, and said by the fields above them. */
const HIDDEN: ReadonlySet<string> = new Set([
  'audit-data',
  'audit-request',
  'audit-event',
  'proof',
  'issuer-key',
])

async function refuse(problem: string, message: string, context: CommandContext): Promise<never> {
  if (context.json) await context.show({ ok: false, problem }, () => '')
  throw new CliError('failed', EXIT.failed, `No valid receipt: ${message}`)
}

function keyOption(text: string): string {
  const fingerprint = trustedFingerprint(text)
  if (fingerprint === undefined)
    throw new InvalidArgumentError('It takes sha256: and 64 hex digits, or a verifier key.')
  return fingerprint
}

async function readWhole(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => unreadable(file, error))
}

async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    await using handle = await open(file)
    yield* handle.readLines()
  } catch (error) {
    unreadable(file, error as NodeJS.ErrnoException)
  }
}

function unreadable(file: string, error: NodeJS.ErrnoException): never {
  throw new CliError('usage', EXIT.usage, `${file} cannot be read: ${error.code ?? error.message}.`)
}
