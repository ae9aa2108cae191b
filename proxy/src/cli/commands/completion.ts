import { Argument, type Command } from 'commander'
import type { CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

export const addCompletionCommand: CommandGroup = (program, { terminal }) => {
  program
    .command('completion')
    .description('a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(SHELLS))
    .addHelpText(
      'after',
      helpTexts(
        paragraph(
          'It completes the word oauth3, not npx oauth3: put node_modules/.bin of this folder into PATH to type it alone. ' +
            'Shells that are opened afterwards have it.',
        ),
        examples(
          ['oauth3 completion bash >> ~/.bashrc', 'bash'],
          ['oauth3 completion zsh >> ~/.zshrc', 'zsh'],
          ['oauth3 completion fish > ~/.config/fish/completions/oauth3.fish', 'fish'],
        ),
      ),
    )
    .action((shell: Shell) => {
      const places = placesOf(program)
      return terminal.print((shell === 'fish' ? fishScript : bashScript)(places, shell))
    })
}

/** A command or group, and what may follow it; `path` is '' for the program itself, else ` secret add`. */
interface Place {
  readonly path: string
  readonly commands: readonly Word[]
  readonly options: readonly Word[]
}

interface Word {
  readonly word: string
  readonly description: string
}

function placesOf(program: Command): readonly Place[] {
  const places: Place[] = []
  const visit = (command: Command, path: string): void => {
    const help = command.createHelp()
    const commands = help.visibleCommands(command)
    places.push({
      path,
      commands: commands.map((child) => ({ word: child.name(), description: child.description() })),
      options: help
        .visibleOptions(command)
        .flatMap(({ long, description }) => (long ? [{ word: long, description }] : [])),
    })
    for (const child of commands) if (child.name() !== 'help') visit(child, `${path} ${child.name()}`)
  }
  visit(program, '')
  return places
}

/**
 * A fixed list of words: what is typed is compared and never evaluated, and a Tab starts no process of ours. zsh reads
 * it through its own bash emulation.
 */
function bashScript(places: readonly Place[], shell: Shell): string {
  const words = ({ commands, options }: Place): string =>
    [...commands, ...options].map(({ word }) => word).join(' ')
  const paths = places.slice(1).map(({ path }) => `'${path}'`)
  return [
    ...(shell === 'zsh'
      ? ['autoload -U +X compinit && compinit', 'autoload -U +X bashcompinit && bashcompinit']
      : []),
    '_oauth3() {',
    "  local at='' words='' word i",
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    `    word=${wordAt('i')}`,
    '    case "$at $word" in',
    `      ${paths.join(' | ')}) at="$at $word" ;;`,
    '    esac',
    '  done',
    '  case "$at" in',
    ...places.map((place) => `    '${place.path}') words='${words(place)}' ;;`),
    '  esac',
    `  COMPREPLY=($(compgen -W "$words" -- "${wordAt('COMP_CWORD')}"))`,
    '}',
    'complete -o default -F _oauth3 oauth3',
  ].join('\n')
}

const wordAt = (index: string): string => `\${COMP_WORDS[${index}]}`

function fishScript(places: readonly Place[]): string {
  const paths = places.slice(1).map(({ path }) => `'${path}'`)
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
  return [
    'function __oauth3_at',
    "    set -l at ''",
    '    for word in (commandline -opc)[2..-1]',
    `        contains -- "$at $word" ${paths.join(' ')}; and set at "$at $word"`,
    '    end',
    '    test "$at" = "$argv[1]"',
    'end',
    'complete -c oauth3 -e',
    ...places.flatMap(({ path, commands, options }) => [
      ...commands.map(
        ({ word, description }) =>
          `complete -c oauth3 -f -n "__oauth3_at '${path}'" -a ${word} -d ${quoted(description)}`,
      ),
      ...options.map(
        ({ word, description }) =>
          `complete -c oauth3 -n "__oauth3_at '${path}'" -l ${word.slice(2)} -d ${quoted(description)}`,
      ),
    ]),
  ].join('\n')
}
