import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'

/** An option and what `--help` says of it. `takes`: what stands for its value there. */
export type DescribedOption = ParseArgsOptionDescriptor & { readonly says: string; readonly takes?: string }

export interface Usage<Options extends Record<string, DescribedOption>> {
  /** As it is typed, like `npm run bench`. */
  readonly command: string
  readonly does: string
  /** What the words without dashes are; none are taken where it is missing. */
  readonly names?: string
  readonly options: Options
}

/**
 * Reads the command line of one of the project's own commands, which do long or lasting work: what is not understood begins
 * nothing. `--help` ends the process with 0, an unknown option or word with 2.
 */
export function readCommandLine<const Options extends Record<string, DescribedOption>>(
  usage: Usage<Options>,
  args: readonly string[] = process.argv.slice(2),
) {
  try {
    if (args.some((word) => word === '--help' || word === '-h')) {
      console.log(helpOf(usage))
      process.exit(0)
    }
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: usage.names !== undefined,
      options: usage.options,
    })
    return { values, names: positionals }
  } catch (error) {
    return refuse(usage, (error as Error).message.split('. ')[0] ?? '')
  }
}

/** Ends with 2: a value that the command does not take. */
export function refuse({ command }: { readonly command: string }, why: string): never {
  console.error(`${why}\nSee ${command} -- --help`)
  process.exit(2)
}

/** A count of one or more, as an option has it. */
export function countOf(usage: { readonly command: string }, option: string, value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) refuse(usage, `--${option} takes a whole number from 1, not ${value}`)
  return Number(value)
}

function helpOf(usage: Usage<Record<string, DescribedOption>>): string {
  const rows = Object.entries(usage.options).map(([name, option]) => {
    const preset = option.type === 'boolean' || !option.default ? '' : ` (${option.default})`
    return [`--${name}${option.takes === undefined ? '' : ` ${option.takes}`}`, `${option.says}${preset}`]
  })
  const width = Math.max(...rows.map(([option = '']) => option.length))
  return [
    `${usage.command}${rows.length === 0 && usage.names === undefined ? '' : ' --'}${usage.names === undefined ? '' : ` [${usage.names}]`}${rows.length === 0 ? '' : ' [options]'}`,
    '',
    usage.does,
    '',
    ...rows.map(([option = '', says = '']) => `  ${option.padEnd(width)}  ${says}`),
  ].join('\n')
}
