import { TERMINAL_COLUMNS } from './text-layout.ts'

/** The only escape sequences that commands print, and the width of cards. Plain text when colour is off. */
export interface Style {
  /** Width of cards and rules: the terminal's, from NARROWEST_COLUMNS to TERMINAL_COLUMNS. */
  readonly columns: number
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

const wrap =
  (open: number, close: number) =>
  (text: string): string =>
    `\u001b[${open}m${text}\u001b[${close}m`
const asIs = (text: string): string => text

const NARROWEST_COLUMNS = 40

export const colored: Style = {
  columns: TERMINAL_COLUMNS,
  bold: wrap(1, 22),
  dim: wrap(2, 22),
  red: wrap(31, 39),
  green: wrap(32, 39),
  yellow: wrap(33, 39),
  cyan: wrap(36, 39),
}
const plain: Style = {
  columns: TERMINAL_COLUMNS,
  bold: asIs,
  dim: asIs,
  red: asIs,
  green: asIs,
  yellow: asIs,
  cyan: asIs,
}

/** Colour for terminals, unless NO_COLOR is set (no-color.org) or the terminal cannot. */
export function styleFor(
  stream: { isTTY?: boolean | undefined; columns?: number | undefined },
  env: NodeJS.ProcessEnv,
): Style {
  const isColored = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  const columns = Math.min(TERMINAL_COLUMNS, Math.max(NARROWEST_COLUMNS, stream.columns || TERMINAL_COLUMNS))
  return { ...(isColored ? colored : plain), columns }
}
