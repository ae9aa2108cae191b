import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { type AdminClient, type CliSurroundings, type Style, styleFor, wordWrap } from '../cli/index.ts'

const STEP_COLUMNS = 14
const VERDICT_COLUMNS = 5
const TITLE_MARGIN = 2

/** Where a demo is played: a terminal, with its steps numbered. */
export interface Stage {
  readonly around: CliSurroundings
  readonly style: Style
  readonly signal: AbortSignal
  say(text: string): void
  /** What came of it, in as many lines as the terminal takes. */
  verdict(isGood: boolean, text: string): void
  step(title: string, text: string): void
}

/** Plays it in a folder that is gone afterwards. */
export async function onStage(
  around: CliSurroundings,
  stopped: AbortSignal,
  title: string,
  play: (stage: Stage, folder: string) => Promise<number>,
): Promise<number> {
  const interrupted = new AbortController()
  const onStop = (): void => interrupted.abort(new Error('The demo was interrupted.'))
  stopped.addEventListener('abort', onStop, { once: true })
  if (stopped.aborted) onStop()
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-demo-'))
  try {
    const stage = createStage(around, interrupted.signal)
    stage.say(
      `${wordWrap(title, stage.style.columns - TITLE_MARGIN)
        .map(stage.style.bold)
        .join('\n')}\n`,
    )
    return await play(stage, folder)
  } finally {
    stopped.removeEventListener('abort', onStop)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One line of a person; null at the end of the input. Throws when the demo is interrupted. */
export async function askLine({ around, signal }: Stage, question: string): Promise<string | null> {
  const reader = createInterface({ input: around.stdin, output: around.stdout })
  const interrupted = new AbortController()
  reader.once('SIGINT', () => interrupted.abort(new Error('The demo was interrupted.')))
  const closed = new Promise<null>((resolve) => reader.once('close', () => resolve(null)))
  const either = AbortSignal.any([signal, interrupted.signal])
  try {
    return await Promise.race([reader.question(question, { signal: either }), closed])
  } catch (error) {
    throw either.aborted ? either.reason : error
  } finally {
    reader.close()
  }
}

export async function saysYes(stage: Stage): Promise<boolean> {
  for (;;) {
    const typed = await askLine(stage, '   Allow this call? [o]nce  [d]eny: ')
    const word = (typed ?? 'd').trim().toLowerCase()
    if (word === 'o' || word === 'once') return true
    if (word === 'd' || word === 'deny') return false
    stage.say('   answer o or d')
  }
}

/** The daemon stays up for whoever looks; without a terminal nobody could end it. */
export async function showConsole(stage: Stage, admin: AdminClient): Promise<void> {
  const { around, style, say, step } = stage
  if (around.stdin.isTTY !== true || around.stdout.isTTY !== true) return
  step('Console', 'all of it in your browser; a link signs you in, once, within two minutes:')
  for (let typed: string | null = 'l'; typed !== null && typed.trim() !== ''; ) {
    const { url } = await admin.call('makeConsoleLink', { body: {} })
    // From the edge on: so it is one line of 80 columns.
    say(`\n${style.bold(url)}\n`)
    // Whoever reads the audit first comes to a link that is over.
    typed = await askLine(stage, '   Enter ends the demo, l Enter makes another link. ')
  }
}

function createStage(around: CliSurroundings, signal: AbortSignal): Stage {
  const style = styleFor(around.stdout, around.env)
  const say = (text: string): void => void around.stdout.write(`${text}\n`)
  let number = 0
  return {
    around,
    style,
    signal,
    say,
    verdict(isGood, text) {
      const [first = '', ...more] = wordWrap(text, style.columns - VERDICT_COLUMNS)
      const colour = isGood ? style.green : style.red
      say(colour(`   ${isGood ? '✓' : '✗'} ${first}`))
      for (const line of more) say(colour(`${' '.repeat(VERDICT_COLUMNS)}${line}`))
    },
    step(title, text) {
      signal.throwIfAborted()
      number += 1
      const [first = '', ...more] = wordWrap(text, style.columns - STEP_COLUMNS)
      say(`${style.cyan(String(number).padStart(2))} ${style.bold(title.padEnd(STEP_COLUMNS - 3))}${first}`)
      for (const line of more) say(`${' '.repeat(STEP_COLUMNS)}${line}`)
    },
  }
}
