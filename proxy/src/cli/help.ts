import { type AddHelpTextContext, type Command, Help } from 'commander'
import { TERMINAL_COLUMNS, wordWrap } from './text-layout.ts'

/** A command, and what it does. */
type Example = readonly [command: string, does: string]
type HelpText = (context: AddHelpTextContext) => string

/** A description with less room beside its term stands below it. */
const NARROWEST_DESCRIPTION = 24
const BELOW = ' '.repeat(6)

/** How help keeps to a narrow terminal: commander leaves a description with less than 40 columns unwrapped. */
export const HELP_LAYOUT: Partial<Help> = {
  minWidthToWrap: NARROWEST_DESCRIPTION,
  formatItem(term, termWidth, description, helper) {
    const columns = helper.helpWidth ?? TERMINAL_COLUMNS
    const beside = columns - termWidth - 4 >= NARROWEST_DESCRIPTION || description === ''
    return beside
      ? Help.prototype.formatItem.call(helper, term, termWidth, description, helper)
      : [`  ${term}`, ...indented(description, columns)].join('\n')
  },
}

/** Examples below a command's help. A command is never broken, so that it can be copied. */
export function examples(...rows: readonly Example[]): HelpText {
  return ({ command }) => {
    const columns = columnsFor(command)
    const lines = rows.flatMap(([one, does]) => [`  $ ${one}`, ...indented(does, columns)])
    return ['', 'Examples:', ...lines].join('\n')
  }
}

/** A paragraph below a command's help. */
export function paragraph(text: string): HelpText {
  return ({ command }) => ['', ...wordWrap(text, columnsFor(command))].join('\n')
}

/** One after the other. */
export function helpTexts(...texts: readonly HelpText[]): HelpText {
  return (context) => texts.map((text) => text(context)).join('\n')
}

const columnsFor = (command: Command): number =>
  command.configureOutput().getOutHelpWidth?.() ?? TERMINAL_COLUMNS

const indented = (text: string, columns: number): string[] =>
  wordWrap(text, columns - BELOW.length).map((line) => `${BELOW}${line}`)
